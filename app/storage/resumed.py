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
    failures, broken = 0, [BrokenOff("reading ended before the end, and nothing said why")]
    while start < stop:
        begun = start
        async with _closed(read(start, stop), broken) as pieces:
            async for piece in pieces:
                yield piece
                start += len(piece)
        failures = 0 if start > begun else failures + 1
        if failures == _ATTEMPTS:
            raise broken[-1]
        if start < stop:
            await asyncio.sleep(random.uniform(0, _PAUSE_SECONDS * 2**failures))  # noqa: S311 - it spreads load


@asynccontextmanager
async def _closed(
    pieces: AsyncGenerator[Piece], broken: list[BrokenOff]
) -> AsyncIterator[AsyncGenerator[Piece]]:
    """Close them in any case, and note that they broke off, which is no error where it is tried again."""
    try:
        async with aclosing(pieces):
            yield pieces
    except BrokenOff as error:
        broken.append(error)
