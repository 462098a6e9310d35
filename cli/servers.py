"""The database and the keys that a command uses: those of the settings, else of `roadstead up`."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from app.db import Database, DatabaseError, open_database
from app.events import Cause
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


@asynccontextmanager
async def use_database(settings: Settings) -> AsyncIterator[Database]:
    """Lend the database for one command; raise StartError where it fails."""
    timeout = settings.database.statement_timeout
    try:
        async with open_database(database_url(settings), size=2, statement_timeout=timeout) as database:
            yield database
    except DatabaseError as error:
        raise StartError(f"The database cannot be used: {error}") from error


def cause() -> Cause:
    """Return what the records say of whoever runs a command here."""
    return Cause(username=getpass.getuser(), user_agent="roadstead command line")


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
