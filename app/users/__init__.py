"""Users: who can log in."""
