"""The connections of a process: opened when they are needed, lent one at a time.

aiopg's own pool sends its connections round in turn and starts a task whenever one comes back. This one lends
what came back last, which is warm at both ends, and leaves the others asleep.
"""

import asyncio
from collections import deque
from functools import partial
from typing import Final

import aiopg
import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from app.db.errors import DatabaseUnavailable
from app.db.statements import Prepared
from app.db.translate import translated

_PATIENCE_SECONDS: Final = 20.0


class Pool:
    """At most `size` connections, each with the one cursor that it ever needs."""

    def __init__(self, url: str, *, size: int, options: str) -> None:
        self._connect = partial(
            aiopg.connect,
            url,
            timeout=_PATIENCE_SECONDS,
            enable_hstore=False,
            application_name="roadstead",
            options=options,
        )
        self._size = size
        self._open = 0
        self._idle: list[aiopg.Cursor] = []
        self._waiting: deque[asyncio.Future[aiopg.Cursor | None]] = deque()
        self.lent: Final[set[aiopg.Connection]] = set()

    async def acquire(self) -> aiopg.Cursor:
        """Borrow a connection that lives; raise DatabaseUnavailable."""
        cursor = None
        while cursor is None:
            cursor = self._take_idle()
            if cursor is None:
                cursor = await (self._add() if self._open < self._size else self._wait())
        self.lent.add(cursor.connection)
        return cursor

    async def acquire_listener(self) -> aiopg.Cursor:
        """Borrow a connection that can listen; raise DatabaseUnavailable."""
        cursor = await self.acquire()
        while not _can_listen(cursor):
            cursor.connection.close()
            self.release(cursor)
            cursor = await self.acquire()
        return cursor

    def release(self, cursor: aiopg.Cursor) -> None:
        """Give a connection back; one that is broken, or in the middle of something, is closed."""
        connection = cursor.connection
        self.lent.discard(connection)
        if connection.closed or connection.raw.get_transaction_status() != TRANSACTION_STATUS_IDLE:
            connection.close()
            self._forget()
        elif not self._hand(cursor):
            self._idle.append(cursor)

    def close(self) -> None:
        """Close every connection, also those that are lent."""
        for connection in (*self.lent, *(cursor.connection for cursor in self._idle)):
            connection.close()

    def _take_idle(self) -> aiopg.Cursor | None:
        while self._idle:
            cursor = self._idle.pop()
            if not cursor.connection.closed:
                return cursor
            self._open -= 1
        return None

    async def _add(self) -> aiopg.Cursor:
        """Open a connection that knows every prepared statement."""
        self._open += 1
        connection = None
        try:
            with translated("connect"):
                connection = await self._connect()
                self.lent.add(connection)
                cursor: aiopg.Cursor = await connection.cursor()
                definitions = ";\n".join(prepared.definition for prepared in Prepared.registry.values())
                await cursor.execute(definitions or "SELECT 1")
        except BaseException as error:
            if connection is not None:
                self.lent.discard(connection)
                connection.close()
            self._forget()
            if isinstance(error, AssertionError | OSError):
                # aiopg fails in odd ways on a connection that dies while it is made.
                raise DatabaseUnavailable(f"no connection could be made: {error!r}") from error
            raise
        return cursor

    async def _wait(self) -> aiopg.Cursor | None:
        """Return what somebody gives back; None: there may be room for another connection."""
        future: asyncio.Future[aiopg.Cursor | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await future
        except BaseException as error:
            if future.done() and not future.cancelled():
                # It came in the same moment.
                cursor = future.result()
                self._hand(None) if cursor is None else self.release(cursor)
            if isinstance(error, TimeoutError):
                raise DatabaseUnavailable(f"all {self._size} connections are busy") from None
            raise

    def _forget(self) -> None:
        self._open -= 1
        self._hand(None)

    def _hand(self, cursor: aiopg.Cursor | None) -> bool:
        """Hand it to whoever waits longest; False when nobody does."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(cursor)
                return True
        return False


def _can_listen(cursor: aiopg.Cursor) -> bool:
    """Whether no statement failed on it: once one did, aiopg repeats that error to whoever listens."""
    try:
        cursor.connection.notifies.get_nowait()
    except asyncio.QueueEmpty:
        return True
    except psycopg2.Error:
        return False
    return True
