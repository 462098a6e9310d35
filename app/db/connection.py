"""One connection at work: statements, transactions, and how it is lent out of the pool."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import aiopg

from app.db.errors import DatabaseUnavailable, NoRow
from app.db.precondition import Check
from app.db.statements import SQL, Prepared
from app.db.translate import translated
from app.db.watch import Watch

Row = TypeVar("Row")

_TRIES: Final = 3


class Statements:
    """Runs statements on one connection."""

    def __init__(self, cursor: aiopg.Cursor) -> None:
        self._cursor = cursor

    async def run(self, sql: SQL, **params: object) -> int:
        """Execute and return the number of rows touched."""
        await self._rows(sql, params)
        return int(self._cursor.raw.rowcount)

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
        rows = await self._rows(sql, params)
        names = [column[0] for column in self._cursor.raw.description]
        return [row(**dict(zip(names, values, strict=True))) for values in rows]

    async def value(self, sql: SQL, **params: object) -> Any:  # noqa: ANN401 - the caller knows its column
        """Return the first column of the first row, or None when there is no row."""
        rows = await self._rows(sql, params)
        return rows[0][0] if rows else None

    async def values(self, sql: SQL, **params: object) -> list[Any]:
        """Return the first column of every row."""
        return [values[0] for values in await self._rows(sql, params)]

    async def tuples(
        self, prepared: Prepared, *params: object, check: Check | None = None
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a prepared statement as plain tuples; only if the check does not fail."""
        if check is None:
            return await self._rows(prepared.call, params)
        return await self._rows(f"{check.statement.call};\n{prepared.call}", (*check.params, *params))

    async def _rows(self, sql: str, params: object) -> list[tuple[Any, ...]]:
        # The connection can break between the answer and the reading of it.
        with translated(sql):
            await self._cursor.execute(sql, params)
            return list(self._cursor.raw.fetchall()) if self._cursor.raw.description else []


class Transaction(Statements):
    """Runs statements that commit or roll back together."""

    def __init__(self, cursor: aiopg.Cursor) -> None:
        super().__init__(cursor)
        self._has_begun = False
        self._last_calls: list[str] = []
        self._last_params: list[object] = []

    async def _rows(self, sql: str, params: object) -> list[tuple[Any, ...]]:
        if not self._has_begun:
            # BEGIN rides with the first statement: one round trip less.
            self._has_begun = True
            sql = f"BEGIN;\n{sql}"
        return await super()._rows(sql, params)

    def finally_run(self, statement: SQL | Prepared, *params: object) -> None:
        """Run a statement whose rows nobody needs, in the round trip of the COMMIT."""
        self._last_calls.append(statement.call if isinstance(statement, Prepared) else statement)
        self._last_params.extend(params)

    async def commit(self) -> None:
        """Make it last; nothing to do when there was no statement."""
        if self._has_begun or self._last_calls:
            begin = [] if self._has_begun else ["BEGIN"]
            self._has_begun = True
            with translated("COMMIT"):
                await self._cursor.execute(
                    ";\n".join((*begin, *self._last_calls, "COMMIT")), self._last_params or None
                )

    async def rollback(self) -> None:
        """Take it back, unless the connection is gone and took it back already."""
        if self._has_begun and not self._cursor.connection.closed:
            with translated("ROLLBACK"):
                await self._cursor.execute("ROLLBACK")


class Borrowed:
    """A connection out of the pool, with a cursor. A class, since every request passes here."""

    __slots__ = ("_connection", "_cursor", "_pool", "_watch")

    def __init__(self, pool: aiopg.Pool, watch: Watch) -> None:
        self._pool = pool
        self._watch = watch

    async def __aenter__(self) -> aiopg.Cursor:
        self._connection = await self._acquire()
        self._watch.connections.add(self._connection)
        try:
            with translated("cursor"):
                self._cursor = await self._connection.cursor()
        except BaseException:
            await self._give_back()
            raise
        return self._cursor

    async def __aexit__(self, *_: object) -> None:
        self._cursor.close()
        await self._give_back()

    async def _acquire(self) -> aiopg.Connection:
        """Take a connection that lives; aiopg fails in odd ways on those that die while they are made."""
        reason: Exception | None = None
        for _ in range(_TRIES):
            try:
                with translated("acquire"):
                    return await self._pool.acquire()
            except (AssertionError, OSError) as error:
                reason = error
        raise DatabaseUnavailable(f"no connection could be made: {reason!r}") from reason

    async def _give_back(self) -> None:
        self._watch.connections.discard(self._connection)
        await self._pool.release(self._connection)
