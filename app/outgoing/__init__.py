"""Calls to servers that users name: only to addresses that the operator allows."""
