"""Configuration: what an administrator changes while the registry runs."""
