"""One connection at work: statements that stand alone, and transactions."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar

import aiopg

from app.db.errors import DatabaseUnavailable, NoRow, PreconditionFailed
from app.db.pool import Pool
from app.db.precondition import Check, proving
from app.db.statements import SQL, Prepared
from app.db.translate import translated

Row = TypeVar("Row")

Params: TypeAlias = tuple[object, ...] | dict[str, object]

_NO_WAIT: Final = "SET LOCAL synchronous_commit = off"


class Statements:
    """Runs statements that stand alone, `async with`; a connection is borrowed for the first of them.

    Where the request has something to prove (`app.db.precondition`), its first statement carries the check.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._cursor: aiopg.Cursor | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._give_back()

    async def run(self, sql: SQL, **params: object) -> int:
        """Execute and return the number of rows touched."""
        cursor, _ = await self._proven(sql, params)
        return int(cursor.raw.rowcount)

    async def maybe(self, row: Callable[..., Row], sql: SQL, **params: object) -> Row | None:
        """Return the row as `row(**columns)`, or None."""
        found = await self.all(row, sql, **params)
        return found[0] if found else None

    async def one(self, row: Callable[..., Row], sql: SQL, **params: object) -> Row:
        """Return the row; raise NoRow when there is none."""
        found = await self.maybe(row, sql, **params)
        if found is None:
            raise NoRow(sql)
        return found

    async def all(self, row: Callable[..., Row], sql: SQL, **params: object) -> list[Row]:
        """Return every row as `row(**columns)`."""
        cursor, rows = await self._proven(sql, params)
        names = [column[0] for column in cursor.raw.description]
        return [row(**dict(zip(names, values, strict=True))) for values in rows]

    async def value(self, sql: SQL, **params: object) -> Any:  # noqa: ANN401 - the caller knows its column
        """Return the first column of the first row, or None when there is no row."""
        _, rows = await self._proven(sql, params)
        return rows[0][0] if rows else None

    async def values(self, sql: SQL, **params: object) -> list[Any]:
        """Return the first column of every row."""
        _, rows = await self._proven(sql, params)
        return [values[0] for values in rows]

    async def tuples(self, prepared: Prepared, *params: object) -> list[tuple[Any, ...]]:
        """Return the rows of a prepared statement as plain tuples."""
        _, rows = await self._proven(prepared.call, params)
        return rows

    async def note(self, prepared: Prepared, *params: object) -> list[tuple[Any, ...]]:
        """Do the same without waiting for the disk."""
        # What is sent together is one transaction.
        _, rows = await self._proven(f"{_NO_WAIT};\n{prepared.call}", params)
        return rows

    async def under(self, check: Check | None, prepared: Prepared, *params: object) -> list[tuple[Any, ...]]:
        """Do the same, only if this check does not fail, whatever the request has to prove."""
        _, rows = await self._checked(prepared.call, params, check)
        return rows

    async def _proven(self, sql: str, params: Params) -> tuple[aiopg.Cursor, list[tuple[Any, ...]]]:
        return await proving(partial(self._checked, sql, params))

    async def _checked(
        self, sql: str, params: Params, check: Check | None
    ) -> tuple[aiopg.Cursor, list[tuple[Any, ...]]]:
        cursor = self._cursor
        if cursor is None:
            cursor = self._cursor = await self._pool.acquire()
        try:
            # The connection can break between the answer and the reading of it.
            with translated(sql):
                await self._execute(
                    cursor, *(_behind(check, sql, params, cursor=cursor) if check else (sql, params))
                )
                return cursor, list(cursor.raw.fetchall()) if cursor.raw.description else []
        except PreconditionFailed:
            # Whoever renews it needs a connection, too.
            await self._start_over()
            raise

    async def _start_over(self) -> None:
        self._give_back()

    async def _execute(self, cursor: aiopg.Cursor, sql: str, params: object) -> None:
        await cursor.execute(sql, params)

    def _give_back(self) -> None:
        if self._cursor is not None:
            self._pool.release(self._cursor)
            self._cursor = None


class Transaction(Statements):
    """Runs statements that commit together when the block ends, and are rolled back when it raises."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._has_begun = False
        self._last_calls: list[str] = []
        self._last_params: list[object] = []

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await (self._commit() if error is None else self._roll_back())
        finally:
            await super().__aexit__(kind, error, trace)

    async def _execute(self, cursor: aiopg.Cursor, sql: str, params: object) -> None:
        if not self._has_begun:
            # BEGIN rides with the first statement: one round trip less.
            self._has_begun = True
            sql = f"BEGIN;\n{sql}"
        await super()._execute(cursor, sql, params)

    async def _start_over(self) -> None:
        await self._roll_back()
        self._has_begun = False
        await super()._start_over()

    def finally_run(self, prepared: Prepared, *params: object) -> None:
        """Run a statement whose rows nobody needs, in the round trip of the COMMIT."""
        self._last_calls.append(prepared.call)
        self._last_params.extend(params)

    async def _commit(self) -> None:
        if not self._has_begun and not self._last_calls:
            return
        try:
            await self._proven(";\n".join((*self._last_calls, "COMMIT")), tuple(self._last_params))
        except BaseException:
            await self._roll_back()
            raise

    async def _roll_back(self) -> None:
        """Take it back, unless the connection is gone and took it back already."""
        if self._cursor is not None and self._has_begun and not self._cursor.connection.closed:
            with suppress(DatabaseUnavailable), translated("ROLLBACK"):
                await self._cursor.execute("ROLLBACK")


def _behind(check: Check, sql: str, params: Params, *, cursor: aiopg.Cursor) -> tuple[str, Params]:
    """Return a statement with the check in front of it."""
    if isinstance(params, tuple):
        return f"{check.statement.call};\n{sql}", (*check.params, *params)
    first: str = cursor.raw.mogrify(check.statement.call, check.params).decode()
    return f"{first.replace('%', '%%')};\n{sql}", params
