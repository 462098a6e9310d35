"""The system: what it is, how it does, and what robots can be given in it."""
