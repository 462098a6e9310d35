"""The drivers' errors in our words."""

import asyncio
from types import TracebackType
from typing import Final

import psycopg2
from psycopg2 import errors as pg

from app.db.errors import (
    CheckViolation,
    DatabaseNotMigrated,
    DatabaseUnavailable,
    Deadlock,
    ForeignKeyViolation,
    PreconditionFailed,
    StatementTimeout,
    UniqueViolation,
)

_VIOLATIONS: Final = {
    pg.UniqueViolation: UniqueViolation,
    pg.ForeignKeyViolation: ForeignKeyViolation,
    pg.CheckViolation: CheckViolation,
}


class translated:  # noqa: N801 - read as `with translated(sql):`; a class, since every statement passes here
    """Raise the errors of `app.db.errors` for those of aiopg and psycopg2."""

    __slots__ = ("_sql",)

    def __init__(self, sql: str) -> None:
        self._sql = sql

    def __enter__(self) -> None:
        return

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        translation = _translate(error, self._sql)
        if translation is not None:
            raise translation from error


def _translate(error: BaseException, sql: str) -> Exception | None:
    match error:
        case pg.UniqueViolation() | pg.ForeignKeyViolation() | pg.CheckViolation():
            return _VIOLATIONS[type(error)](error.diag.constraint_name)
        case pg.DivisionByZero() | pg.DeadlockDetected():
            return (Deadlock if isinstance(error, pg.DeadlockDetected) else PreconditionFailed)(sql)
        case pg.UndefinedTable() | pg.UndefinedColumn():
            return DatabaseNotMigrated(f"{error.diag.message_primary}; run `roadstead migrate` first")
        case psycopg2.OperationalError() | psycopg2.InterfaceError() | TimeoutError():
            return DatabaseUnavailable(str(error).strip())
        case asyncio.CancelledError():
            # aiopg turns the server's QueryCanceled into CancelledError; only a task that somebody
            # really cancelled has a pending cancellation.
            task = asyncio.current_task()
            return None if task is not None and task.cancelling() else StatementTimeout(sql)
        case _:
            return None
