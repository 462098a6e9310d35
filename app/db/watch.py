"""Noticing connections that the server has left while somebody waits on them.

uvloop stops to watch a socket after its first error event, and aiopg needs a second one to give up:
without this, a statement in flight when PostgreSQL is killed would wait for its whole timeout.
"""

import asyncio
import select
from typing import Final

import aiopg
import psycopg2

_PERIOD_SECONDS: Final = 0.25


class Watch:
    """The connections that are in use."""

    def __init__(self) -> None:
        self.connections: set[aiopg.Connection] = set()

    async def run(self) -> None:
        """Close what was left, until cancelled; whoever waits on it is told at once."""
        while True:
            await asyncio.sleep(_PERIOD_SECONDS)
            for connection in [c for c in self.connections if _is_left(c)]:
                self.connections.discard(connection)
                await connection.close()


def _is_left(connection: aiopg.Connection) -> bool:
    try:
        poll = select.poll()
        poll.register(connection.raw.fileno(), select.POLLHUP | select.POLLERR)
        return bool(poll.poll(0))
    except (psycopg2.InterfaceError, OSError):
        return True
