"""Noticing connections that the server has left while somebody waits on them.

uvloop stops to watch a socket after its first error event, and aiopg needs a second one to give up:
without this, a statement in flight when PostgreSQL is killed would wait for its whole timeout.
"""

import asyncio
import select
from collections.abc import Set as AbstractSet
from typing import Final

import aiopg
import psycopg2

_PERIOD_SECONDS: Final = 0.25


async def close_abandoned(connections: AbstractSet[aiopg.Connection]) -> None:
    """Close those in use that the server has left, until cancelled; whoever waits on one is told at once."""
    while True:
        await asyncio.sleep(_PERIOD_SECONDS)
        for connection in [c for c in connections if not c.closed and _is_abandoned(c)]:
            connection.close()


def _is_abandoned(connection: aiopg.Connection) -> bool:
    try:
        poll = select.poll()
        poll.register(connection.raw.fileno(), select.POLLHUP | select.POLLERR)
        return bool(poll.poll(0))
    except (psycopg2.InterfaceError, OSError):
        return True
