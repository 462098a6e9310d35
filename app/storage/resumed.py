"""Reading objects as a stream that outlives a broken connection."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Final, TypeVar

from app.storage.driver import Inflow, StorageBusy

Piece = TypeVar("Piece", bytes, bytes | Inflow)

_ATTEMPTS: Final = 4
_PAUSE_SECONDS: Final = 0.1


class BrokenOff(StorageBusy):
    """The body of an answer ended before its end; the request itself has been tried several times already."""


async def resumed(
    read: Callable[[int, int], AsyncGenerator[Piece]], start: int, stop: int
) -> AsyncGenerator[Piece]:
    """Yield the bytes `start <= i < stop`, that `read` asks for once; raise FileNotFoundError.

    A body that breaks off is asked for again from there; only one that does not move is given up.
    """
    failures = 0
    while start < stop:
        begun = start
        async with _closed(read(start, stop), is_last=failures == _ATTEMPTS - 1) as pieces:
            async for piece in pieces:
                yield piece
                start += len(piece)
        failures = 0 if start > begun else failures + 1
        if start < stop:
            await asyncio.sleep(random.uniform(0, _PAUSE_SECONDS * 2**failures))  # noqa: S311 - it spreads load


@asynccontextmanager
async def _closed(pieces: AsyncGenerator[Piece], *, is_last: bool) -> AsyncIterator[AsyncGenerator[Piece]]:
    """Close them in any case; that they broke off is only an error when it is not tried again."""
    try:
        async with aclosing(pieces):
            yield pieces
    except BrokenOff:
        if is_last:
            raise
