"""A consumer of webhooks, as fast as Python has one, in a process of its own: it notes what came when."""

import asyncio
import multiprocessing
import multiprocessing.sharedctypes
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, cast

import uvloop

from bench import processes

MOST: Final = 200_000
_NUMBER: Final = re.compile(rb'"tag":"n(\d+)"')
_ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_LENGTH: Final = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Consumer:
    """What it has received: when each number came first, on the clock that all processes have in common."""

    url: str
    times: "multiprocessing.sharedctypes.SynchronizedArray[float]"

    def received(self, numbers: range) -> list[float]:
        """Return when these came, without those that did not."""
        return [moment for number in numbers if (moment := self.times[number])]

    def wait_for(self, numbers: range, seconds: float) -> list[float]:
        """Return when these came, once all have."""
        end = time.monotonic() + seconds
        while len(received := self.received(numbers)) < len(numbers):
            if time.monotonic() > end:
                raise processes.ServerError(f"{len(received)} of {len(numbers)} came in {seconds:g} s")
            time.sleep(0.05)
        return received


class _Protocol(asyncio.Protocol):
    def __init__(self, times: "multiprocessing.sharedctypes.SynchronizedArray[float]") -> None:
        self._times = times
        self._data = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) > 0:
            length = _LENGTH.search(self._data)
            assert length
            size = end + 4 + int(length[1])
            if len(self._data) < size:
                return
            number = _NUMBER.search(self._data)
            assert number
            place = int(number[1])
            self._times[place] = self._times[place] or time.monotonic()
            self._data = self._data[size:]
            self._transport.write(_ANSWER)


def _serve(port: int, times: "multiprocessing.sharedctypes.SynchronizedArray[float]") -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Protocol(times), "127.0.0.1", port)
        await server.serve_forever()

    uvloop.run(serve())


@contextmanager
def running_consumer() -> Iterator[Consumer]:
    """Run one for as long as the block runs."""
    context = multiprocessing.get_context("fork")
    port, times = processes.free_port(), context.Array("d", MOST, lock=False)
    process = context.Process(target=_serve, args=(port, times), daemon=True)
    process.start()
    try:
        yield Consumer(f"http://127.0.0.1:{port}/hook", times)
    finally:
        process.kill()
        process.join()
