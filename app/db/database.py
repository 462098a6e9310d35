"""A pool of connections that runs single statements and transactions.

aiopg and psycopg2 are imported in this package and nowhere else, because their rough edges end
here: a server-side timeout arrives as CancelledError, a connection runs one statement at a time,
and nothing is transactional until BEGIN is sent.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Final, LiteralString, TypeVar

import aiopg

from app.db.coalesce import Coalescer
from app.db.errors import DatabaseUnavailable, NoRow
from app.db.statements import SQL, Prepared
from app.db.translate import translated
from app.db.watch import Watch

Row = TypeVar("Row")

_PING = SQL("SELECT 1")
_NO_WAIT = SQL("SET LOCAL synchronous_commit = off")
_PATIENCE_SECONDS: Final = 20.0
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

    async def tuples(self, prepared: Prepared, *params: object) -> list[tuple[Any, ...]]:
        """Return the rows of a prepared statement as plain tuples."""
        return await self._rows(prepared.call, params)

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


class Database:
    """A pool of connections."""

    def __init__(self, pool: aiopg.Pool, watch: Watch) -> None:
        self._pool = pool
        self._watch = watch
        self._coalescers: dict[str, Coalescer[tuple[object, ...], tuple[Any, ...]]] = {}

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit when the block ends, roll back when it raises."""
        async with _Borrowed(self._pool, self._watch) as cursor:
            tx = Transaction(cursor)
            try:
                yield tx
                await tx.commit()
            except BaseException:
                with suppress(DatabaseUnavailable):
                    await tx.rollback()
                raise

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[Statements]:
        """Lend a connection on which each statement stands alone: no BEGIN, no COMMIT."""
        async with _Borrowed(self._pool, self._watch) as cursor:
            yield Statements(cursor)

    async def call(self, prepared: Prepared, *params: object) -> list[tuple[Any, ...]]:
        """Run one prepared statement in a transaction of its own."""
        async with _Borrowed(self._pool, self._watch) as cursor:
            return await Statements(cursor).tuples(prepared, *params)

    async def note(self, prepared: Prepared, *params: object) -> None:
        """Run one prepared statement without waiting for the disk.

        For what is worth nothing by itself: a crash of the database may take back the last half second of
        these. Whatever is committed after one and waits for the disk makes it durable, too.
        """
        async with self.transaction() as tx:
            tx.finally_run(_NO_WAIT)
            tx.finally_run(prepared, *params)

    async def read(self, prepared: Prepared, *params: object) -> list[tuple[Any, ...]]:
        """Run one prepared, read-only statement; once more on a fresh connection if the first one broke."""
        try:
            return await self.call(prepared, *params)
        except DatabaseUnavailable:
            return await self.call(prepared, *params)

    async def look_up(self, prepared: Prepared, *key: object) -> tuple[Any, ...]:
        """Return the one row that a hot look-up has for this key.

        The statement takes one array for each part of the key and returns one row for each place
        in the arrays, in their order, so that concurrent look-ups share one round trip.
        """
        coalescer = self._coalescers.get(prepared.name)
        if coalescer is None:

            async def fetch(keys: Sequence[tuple[object, ...]]) -> list[tuple[Any, ...]]:
                return await self.read(prepared, *map(list, zip(*keys, strict=True)))

            coalescer = self._coalescers[prepared.name] = Coalescer(fetch)
        return await coalescer.get(key)

    async def ping(self) -> None:
        """Raise DatabaseUnavailable unless the database answers."""
        async with self.autocommit() as statements:
            await statements.value(_PING)

    @asynccontextmanager
    async def listen(self, channel: LiteralString) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
        """Lend `wait(seconds)`: it returns when a NOTIFY came on the channel, or the time is over."""
        async with _Borrowed(self._pool, self._watch) as cursor:
            await Statements(cursor).run(SQL(f"LISTEN {channel}"))
            notifies = cursor.connection.notifies

            async def wait(seconds: float) -> None:
                with translated(channel), suppress(TimeoutError):
                    await asyncio.wait_for(notifies.get(), seconds)
                while not notifies.empty():
                    notifies.get_nowait()

            try:
                yield wait
            finally:
                # A listening connection must not go back to the pool.
                await cursor.connection.close()


class _Borrowed:
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


@asynccontextmanager
async def open_database(url: str, *, size: int, statement_timeout: timedelta) -> AsyncIterator[Database]:
    """Open the pool for as long as the block runs."""
    watch = Watch()

    async def prepare(connection: aiopg.Connection) -> None:
        definitions = ";\n".join(p.definition for p in Prepared.registry.values())
        watch.connections.add(connection)
        try:
            async with connection.cursor() as cursor:
                await cursor.execute(definitions or "SELECT 1")
        except BaseException:
            # The pool forgets a connection that is not ready.
            await connection.close()
            raise
        finally:
            watch.connections.discard(connection)

    watching = asyncio.create_task(watch.run())
    milliseconds = int(statement_timeout.total_seconds() * 1000)
    try:
        with translated("connect"):
            pool = await aiopg.create_pool(
                url,
                minsize=1,
                maxsize=size,
                timeout=_PATIENCE_SECONDS,
                enable_hstore=False,
                enable_uuid=True,
                on_connect=prepare,
                application_name="roadstead",
                options=f"-c statement_timeout={milliseconds} -c plan_cache_mode=force_generic_plan",
            )
        try:
            yield Database(pool, watch)
        finally:
            pool.terminate()
            await pool.wait_closed()
    finally:
        watching.cancel()
