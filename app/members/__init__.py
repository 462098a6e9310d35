"""Members: which user has which role in a project."""
