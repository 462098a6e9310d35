"""A pool of connections that runs single statements and transactions.

aiopg and psycopg2 are imported in this package and nowhere else, because their rough edges end
here: a server-side timeout arrives as CancelledError, a connection runs one statement at a time,
and nothing is transactional until BEGIN is sent.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any, LiteralString, TypeAlias

from app.db.coalesce import Coalescer
from app.db.connection import Statements, Transaction
from app.db.errors import DatabaseUnavailable, PreconditionFailed
from app.db.pool import Pool
from app.db.precondition import Check, proving, unproven
from app.db.statements import SQL, Prepared
from app.db.translate import translated
from app.db.watch import close_abandoned

_Key: TypeAlias = tuple[Check | None, tuple[object, ...]]

_PING = SQL("SELECT 1")


class Database:
    """A pool of connections."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._coalescers: dict[str, Coalescer[_Key, tuple[Any, ...]]] = {}
        self._recent: dict[tuple[object, ...], tuple[float, frozenset[Any]]] = {}

    def transaction(self) -> Transaction:
        """Commit when the block ends, roll back when it raises."""
        return Transaction(self._pool)

    def autocommit(self) -> Statements:
        """Lend a connection on which each statement stands alone: no BEGIN, no COMMIT."""
        return Statements(self._pool)

    async def call(self, prepared: Prepared, *params: object) -> list[tuple[Any, ...]]:
        """Run one prepared statement in a transaction of its own."""
        async with self.autocommit() as statements:
            return await statements.tuples(prepared, *params)

    async def prove(self) -> None:
        """Prove what this request has to prove by a statement of its own, unless one did already."""
        if unproven() is not None:
            await self.ping()

    async def note(self, prepared: Prepared, *params: object) -> list[tuple[Any, ...]]:
        """Run one prepared statement without waiting for the disk.

        For what is worth nothing by itself: a crash of the database may take back the last half second of
        these. Whatever is committed after one and waits for the disk makes it durable, too.
        """
        async with self.autocommit() as statements:
            return await statements.note(prepared, *params)

    async def read(self, prepared: Prepared, *params: object) -> list[tuple[Any, ...]]:
        """Run one prepared, read-only statement; once more on a fresh connection if the first one broke."""
        try:
            return await self.call(prepared, *params)
        except DatabaseUnavailable:
            return await self.call(prepared, *params)

    async def recent(self, prepared: Prepared, *params: object, max_age: timedelta) -> frozenset[Any]:
        """Return the first column of every row, as it was at most `max_age` ago in this process."""
        key, now = (prepared.name, *params), time.monotonic()
        asked_at, values = self._recent.get(key, (-math.inf, frozenset()))
        if now - asked_at > max_age.total_seconds():
            values = frozenset(row[0] for row in await self.read(prepared, *params))
            self._recent[key] = (now, values)
        return values

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
                return await proving(lambda check: coalescer.get((check, key)))
            except PreconditionFailed:
                # The check of another request that waited, too.
                continue

    async def _fetch(self, prepared: Prepared, keys: Sequence[_Key]) -> list[tuple[Any, ...]]:
        """Look up several keys, each of which may come with a check."""
        checks = {check for check, _ in keys if check is not None}
        if len(checks) > 1:
            raise PreconditionFailed("they cannot all hold")
        params = tuple(map(list, zip(*(key for _, key in keys), strict=True)))
        check = next(iter(checks), None)
        try:
            return await self._under(check, prepared, params)
        except DatabaseUnavailable:
            return await self._under(check, prepared, params)

    async def _under(
        self, check: Check | None, prepared: Prepared, params: tuple[object, ...]
    ) -> list[tuple[Any, ...]]:
        async with self.autocommit() as statements:
            return await statements.under(check, prepared, *params)

    async def ping(self) -> None:
        """Raise DatabaseUnavailable unless the database answers."""
        async with self.autocommit() as statements:
            await statements.value(_PING)

    @asynccontextmanager
    async def listen(self, channel: LiteralString) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
        """Lend `wait(seconds)`: it returns when a NOTIFY came on the channel, or the time is over."""
        cursor = await self._pool.acquire_listener()
        try:
            with translated(channel):
                await cursor.execute(f"LISTEN {channel}")
            notifies = cursor.connection.notifies

            async def wait(seconds: float) -> None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        with translated(channel):
                            await notifies.get()
                while not notifies.empty():
                    notifies.get_nowait()

            yield wait
        finally:
            # A listening connection must not go back to the others.
            cursor.connection.close()
            self._pool.release(cursor)


@asynccontextmanager
async def open_database(url: str, *, size: int, statement_timeout: timedelta) -> AsyncIterator[Database]:
    """Open the pool for as long as the block runs."""
    milliseconds = int(statement_timeout.total_seconds() * 1000)
    options = f"-c statement_timeout={milliseconds} -c plan_cache_mode=force_generic_plan"
    pool = Pool(url, size=size, options=options)
    watching = asyncio.create_task(close_abandoned(pool.lent))
    try:
        pool.release(await pool.acquire())
        yield Database(pool)
    finally:
        watching.cancel()
        pool.close()
