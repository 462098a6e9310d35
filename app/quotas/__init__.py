"""Quotas: how much storage a project may use, and how much it uses."""
