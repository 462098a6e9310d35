"""Roadstead: the web process and all domain code. `docs/architecture.md` shows the order of its packages."""
