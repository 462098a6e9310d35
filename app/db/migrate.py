"""Migrations: plain SQL files, forward only, each in a transaction of its own, under an advisory lock."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from typing import Final

import psycopg2
from psycopg2.errors import LockNotAvailable
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - psycopg2 names its class in lower case

from app.db.errors import DatabaseError, DatabaseUnavailable

_LOCK: Final = 0x726F6164  # "road": any number that nobody else locks

_LOCK_TIMEOUT: Final = "2s"
_PAUSE_SECONDS: Final = 1.0
_TRIES: Final = 100

_CREATE_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        name       text PRIMARY KEY,
        checksum   text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


class MigrationChanged(DatabaseError):
    """A migration that was applied reads differently now."""


class MigrationBlocked(DatabaseError):
    """What a migration changes was in use for too long."""


def migrate(url: str) -> list[str]:
    """Bring the database up to date and return the names of what was applied.

    Processes that migrate at once wait for one another. Files only add to what older processes
    read, so that two versions can run on one database.

    Raises:
        MigrationChanged: an applied file was edited; write a new one instead.
        MigrationBlocked: a transaction held a table for minutes; end it, and migrate again.
        DatabaseUnavailable: no connection.
    """
    try:
        connection = psycopg2.connect(url, application_name="roadstead migrate")
    except psycopg2.OperationalError as error:
        raise DatabaseUnavailable(str(error).strip()) from error
    with closing(connection):
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            cursor.execute(_CREATE_TABLE)
            return [name for name, text in migrations() if _apply(cursor, name, text)]


def migrations() -> Iterator[tuple[str, str]]:
    """Yield the name and text of each migration in order."""
    directory = files("app.db") / "migrations"
    for file in sorted(directory.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".sql"):
            yield file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")


def _apply(cursor: Cursor, name: str, text: str) -> bool:
    checksum = hashlib.sha256(text.encode()).hexdigest()
    cursor.execute("SELECT checksum FROM schema_migrations WHERE name = %s", (name,))
    row = cursor.fetchone()
    if row is not None:
        if row[0] != checksum:
            raise MigrationChanged(
                f"{name} was applied in another wording; undo the edit and add a new migration"
            )
        return False
    for _ in range(_TRIES):
        try:
            _run(cursor, text)
            cursor.execute("INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)", (name, checksum))
            cursor.execute("COMMIT")
        except LockNotAvailable:
            cursor.execute("ROLLBACK")
            time.sleep(_PAUSE_SECONDS)
        else:
            return True
    raise MigrationBlocked(
        f"{name} waits for a transaction that holds what it changes; pg_stat_activity has the old ones"
    )


def _run(cursor: Cursor, text: str) -> None:
    """Run a file in a transaction that lets requests pass.

    Behind a change of a table that waits for its lock, every statement on the table waits, too.
    """
    cursor.execute("BEGIN")
    cursor.execute("SET LOCAL lock_timeout = %s", (_LOCK_TIMEOUT,))
    cursor.execute(text)
