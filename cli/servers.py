"""Which database a command works on, and with which keys: those of the settings, else of `roadstead up`."""

from msgspec.structs import replace

from app.settings import Secret, Settings
from cli.datadir import DataDirectory
from cli.embedded.postgres import url_of
from cli.programs import StartError, unprivileged_account


def database_url(settings: Settings) -> str:
    """Return the database of the settings, else that of the `roadstead up` in the data directory."""
    if settings.database.url:
        return settings.database.url
    data = _data_directory(settings, lacking="ROADSTEAD_DATABASE_URL")
    return url_of(data.sockets, data.secrets().postgres)


def with_keys(settings: Settings) -> Settings:
    """Return the settings with the key of the `roadstead up` in the data directory, where they have none."""
    if settings.auth.secret_key:
        return settings
    data = _data_directory(settings, lacking="ROADSTEAD_AUTH_SECRET_KEY")
    return replace(settings, auth=replace(settings.auth, secret_key=Secret(data.secrets().auth_secret_key)))


def _data_directory(settings: Settings, *, lacking: str) -> DataDirectory:
    data = DataDirectory(settings.data_path, lock=-1, account=unprivileged_account())
    if not (data.path / "secrets.json").exists():
        raise StartError(f"{lacking} is not set, and no `roadstead up` runs on {data.path}.")
    return data
