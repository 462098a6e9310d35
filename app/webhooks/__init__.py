"""Webhooks: what happens in a project is posted to whom its policies name, at least once."""
