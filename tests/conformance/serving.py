"""Registries of our own, as many as a test wants, on one database and storage or on several."""

from pathlib import Path

from app.settings import Settings, load


def settings_for(database_url: str, data: Path, **settings: str) -> Settings:
    """Settings by the names of their environment: `uploads_lease="2"`."""
    named = {
        "data": str(data),
        "listen": "127.0.0.1:0",
        "database_url": database_url,
        "auth_secret_key": "only-for-tests-" * 3,
        "admin_password": "admin-password-1",
        **settings,
    }
    return load({f"ROADSTEAD_{name.upper()}": value for name, value in named.items()})
