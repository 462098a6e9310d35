"""`roadstead migrate`: everything the database needs before the web processes and workers start."""

import argparse
import asyncio

from app.bootstrap import bootstrap
from app.db import DatabaseError, open_database
from app.db.migrate import migrate
from app.settings import Settings, SettingsError, load, require
from app.users.passwords import PasswordTooWeak
from cli.programs import StartError
from cli.report import reporter

_DESCRIPTION = """\
Bring the database that ROADSTEAD_DATABASE_URL names up to date, and make the user `admin` with
ROADSTEAD_ADMIN_PASSWORD (or give it that password) and the project `library`.

Run it before the first start and before each new version; it may run again, and several at once
wait for one another. Processes of the old version go on working on the new schema.
"""


def command(arguments: list[str]) -> None:
    """Run the command."""
    argparse.ArgumentParser(
        prog="roadstead migrate",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args(arguments)
    settings = load()
    require(settings, "database.url")
    report = reporter(settings.log)
    try:
        for name in migrate(settings.database.url):
            report(f"Applied migration {name}.")
        asyncio.run(_make_first_identity(settings))
    except DatabaseError as error:
        raise StartError(f"The database cannot be migrated: {error}") from error
    except PasswordTooWeak as error:
        raise SettingsError(f"ROADSTEAD_ADMIN_PASSWORD is too weak. {error}") from None


async def _make_first_identity(settings: Settings) -> None:
    async with open_database(
        settings.database.url, size=2, statement_timeout=settings.database.statement_timeout
    ) as database:
        await bootstrap(database, settings.admin_password)
