"""Settings of a storage in a file of their own."""

from pathlib import Path

from app.settings import Settings, SettingsError, load


def settings_of(file: Path) -> Settings:
    """Read the settings of which [storage] counts; raise SettingsError where they name no storage."""
    settings = load({"ROADSTEAD_CONFIG": str(file)})
    if settings.storage.driver == "filesystem" and not settings.storage.root:
        raise SettingsError(f"{file}: [storage] needs `root`, the directory, or another `driver`.")
    return settings
