"""A pool of connections that runs single statements and transactions.

aiopg and psycopg2 are imported in this package and nowhere else, because their rough edges end
here: a server-side timeout arrives as CancelledError, a connection runs one statement at a time,
and nothing is transactional until BEGIN is sent.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any, Final, LiteralString, TypeAlias, TypeVar

import aiopg

from app.db.coalesce import Coalescer
from app.db.connection import Borrowed, Statements, Transaction
from app.db.errors import DatabaseUnavailable, PreconditionFailed
from app.db.precondition import Check, renewed, unproven
from app.db.statements import SQL, Prepared
from app.db.translate import translated
from app.db.watch import Watch

Result = TypeVar("Result")
_Key: TypeAlias = tuple[Check | None, tuple[object, ...]]

_PING = SQL("SELECT 1")
_NO_WAIT = SQL("SET LOCAL synchronous_commit = off")
_PATIENCE_SECONDS: Final = 20.0


class Database:
    """A pool of connections."""

    def __init__(self, pool: aiopg.Pool, watch: Watch) -> None:
        self._pool = pool
        self._watch = watch
        self._coalescers: dict[str, Coalescer[_Key, tuple[Any, ...]]] = {}

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit when the block ends, roll back when it raises."""
        await self.prove()
        async with self._transaction() as tx:
            yield tx

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        async with Borrowed(self._pool, self._watch) as cursor:
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
        await self.prove()
        async with Borrowed(self._pool, self._watch) as cursor:
            yield Statements(cursor)

    async def call(self, prepared: Prepared, *params: object) -> list[tuple[Any, ...]]:
        """Run one prepared statement in a transaction of its own."""
        return await _proving(partial(self._call, prepared, params))

    async def _call(
        self, prepared: Prepared, params: tuple[object, ...], check: Check | None
    ) -> list[tuple[Any, ...]]:
        async with Borrowed(self._pool, self._watch) as cursor:
            return await Statements(cursor).tuples(prepared, *params, check=check)

    async def prove(self) -> None:
        """Prove what this request has to prove by a statement of its own, unless one did already."""
        if unproven() is not None:
            await _proving(self._prove)

    async def _prove(self, check: Check | None) -> None:
        if check is not None:
            await self._call(check.statement, check.params, None)

    async def note(self, prepared: Prepared, *params: object) -> None:
        """Run one prepared statement without waiting for the disk.

        For what is worth nothing by itself: a crash of the database may take back the last half second of
        these. Whatever is committed after one and waits for the disk makes it durable, too.
        """
        await _proving(partial(self._note, prepared, params))

    async def _note(self, prepared: Prepared, params: tuple[object, ...], check: Check | None) -> None:
        async with self._transaction() as tx:
            tx.finally_run(_NO_WAIT)
            if check is not None:
                tx.finally_run(check.statement, *check.params)
            tx.finally_run(prepared, *params)

    async def read(self, prepared: Prepared, *params: object) -> list[tuple[Any, ...]]:
        """Run one prepared, read-only statement; once more on a fresh connection if the first one broke."""
        return await _proving(partial(self._read, prepared, params))

    async def _read(
        self, prepared: Prepared, params: tuple[object, ...], check: Check | None
    ) -> list[tuple[Any, ...]]:
        try:
            return await self._call(prepared, params, check)
        except DatabaseUnavailable:
            return await self._call(prepared, params, check)

    async def look_up(self, prepared: Prepared, *key: object) -> tuple[Any, ...]:
        """Return the one row that a hot look-up has for this key.

        The statement takes one array for each part of the key and returns one row for each place
        in the arrays, in their order, so that concurrent look-ups share one round trip.
        """
        coalescer = self._coalescers.get(prepared.name)
        if coalescer is None:
            coalescer = self._coalescers[prepared.name] = Coalescer(partial(self._fetch, prepared))
        while True:
            try:
                return await _proving(lambda check: coalescer.get((check, key)))
            except PreconditionFailed:
                # The check of another request that waited, too.
                continue

    async def _fetch(self, prepared: Prepared, keys: Sequence[_Key]) -> list[tuple[Any, ...]]:
        """Look up several keys, each of which may come with a check."""
        checks = {check for check, _ in keys if check is not None}
        if len(checks) > 1:
            raise PreconditionFailed("they cannot all hold")
        params = tuple(map(list, zip(*(key for _, key in keys), strict=True)))
        return await self._read(prepared, params, next(iter(checks), None))

    async def ping(self) -> None:
        """Raise DatabaseUnavailable unless the database answers."""
        async with self.autocommit() as statements:
            await statements.value(_PING)

    @asynccontextmanager
    async def listen(self, channel: LiteralString) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
        """Lend `wait(seconds)`: it returns when a NOTIFY came on the channel, or the time is over."""
        async with Borrowed(self._pool, self._watch) as cursor:
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


async def _proving(run: Callable[[Check | None], Awaitable[Result]]) -> Result:
    """Run with what this request has to prove; where that fails, have it renewed and run without."""
    condition = unproven()
    if condition is None:
        return await run(None)
    try:
        result = await run(condition.check)
    except PreconditionFailed:
        await renewed(condition)
        return await run(None)
    condition.is_met = True
    return result


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
