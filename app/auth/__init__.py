"""Authenticators, decisions and the token endpoint."""
