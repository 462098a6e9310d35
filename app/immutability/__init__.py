"""Immutability: rules that keep tags from being moved and deleted."""
