"""Repositories: the names under which content is kept."""
