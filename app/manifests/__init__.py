"""Manifests: push, pull, delete, and referrers."""
