"""The parts of an upload: how large they are, and how one fills while those before it are on their way."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Generic, TypeAlias, TypeVar

_GROWTH: Final = 1_250
"""A part is this fraction of what lies before it, so that 5 TB are less than 10,000 parts."""
_UNDER_WAY: Final = 2
"""With the one that fills, this bounds what an upload takes of memory."""

_Sent = TypeVar("_Sent")

Send: TypeAlias = Callable[[bytes], Awaitable[Coroutine[Any, Any, _Sent]]]
"""Does what has to be done in order, and returns what may be done beside others: the sending."""


def part_size(stored_bytes: int, least: int) -> int:
    """Return the size of the part that begins there."""
    return max(least, -(-stored_bytes // _GROWTH))


class Filling(Generic[_Sent]):
    """Cuts what comes into parts, from `stored` bytes on, and sends those that are full."""

    def __init__(self, send: Send[_Sent], stored: int, least: int) -> None:
        self._send = send
        self._least = least
        self._pieces: list[memoryview] = []
        self._under_way: list[asyncio.Task[_Sent]] = []
        self.stored = stored
        """Where the part begins that fills now."""
        self.filled = 0
        """How many bytes it has."""
        self.sent: list[_Sent] = []
        """What came of those that have arrived, in their order."""

    async def fill(self, chunk: bytes) -> None:
        """Append; parts that are full go on their way."""
        rest = memoryview(chunk)
        while rest:
            size = part_size(self.stored, self._least)
            room = size - self.filled
            self._pieces.append(rest[:room])
            self.filled += len(rest[:room])
            rest = rest[room:]
            if self.filled == size:
                await self._flush()

    async def end(self) -> None:
        """Send what is left, and wait for all that is on its way."""
        if self.filled:
            await self._flush()
        await self.arrive()

    async def arrive(self, most: int = 0) -> None:
        """Wait until no more than so many are on their way."""
        while len(self._under_way) > most:
            self.sent.append(await self._under_way[0])
            self._under_way.pop(0)

    def take(self) -> bytes:
        """Return what has gathered since the last part."""
        content = b"".join(self._pieces)
        self._pieces.clear()
        self.filled = 0
        return content

    def close(self) -> None:
        """Give up the parts that are still on their way."""
        for task in self._under_way:
            task.cancel()
            task.add_done_callback(_forget)

    async def closed(self) -> None:
        """Wait until nothing is on its way, however it ends."""
        self.close()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _flush(self) -> None:
        await self.arrive(_UNDER_WAY - 1)
        content = self.take()
        sending = await self._send(content)
        self.stored += len(content)
        self._under_way.append(asyncio.create_task(sending))


def _forget(task: asyncio.Task[_Sent]) -> None:
    """Look at what became of it, for somebody has to."""
    if not task.cancelled():
        task.exception()
