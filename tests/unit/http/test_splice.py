"""Bytes that go from one socket to another one and are never read in between."""

import asyncio
import random
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.http.splice import splice
from app.storage import Inflow

CONTENT = random.Random(3).randbytes(5 << 20)  # noqa: S311 - noise, not a secret
PATIENT = 20.0
IMPATIENT = 0.05


class Line:
    """Two connections: what comes by one is to go on by the other."""

    def __init__(self, transport: asyncio.Transport, **ends: socket.socket) -> None:
        self.transport = transport
        self.storage, self.source, self.client = ends["storage"], ends["source"], ends["client"]

    def inflow(self, length: int, patience: float = PATIENT) -> Inflow:
        return Inflow(self.source.fileno(), length, patience=patience)

    async def send(self, content: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.storage, content)

    async def received(self, length: int) -> bytes:
        content = bytearray()
        while len(content) < length:
            content += await asyncio.get_running_loop().sock_recv(self.client, 1 << 20)
        return bytes(content)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    storage, source = socket.socketpair()
    client, ours = socket.socketpair()
    for end in (storage, source, client, ours):
        end.settimeout(0)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    yield Line(transport, storage=storage, source=source, client=client)
    transport.abort()
    for end in (storage, source, client):
        end.close()


async def test_all_of_it_comes_behind_what_was_written_before(line: Line) -> None:
    head = CONTENT[: 1 << 20]
    line.transport.write(head)
    inflow = line.inflow(len(CONTENT))
    receiving = asyncio.ensure_future(line.received(len(head) + len(CONTENT)))
    await asyncio.gather(line.send(CONTENT), splice(inflow, line.transport, patience=PATIENT))
    assert await receiving == head + CONTENT
    assert inflow.taken == len(inflow) == len(CONTENT)


async def test_what_lies_behind_it_is_left(line: Line) -> None:
    await line.send(b"bodynext")
    await splice(line.inflow(4), line.transport, patience=PATIENT)
    assert await line.received(4) == b"body"
    assert line.source.recv(100) == b"next"


@pytest.mark.parametrize("is_silent", [True, False], ids=["silent", "ended"])
async def test_a_source_that_gives_no_more_is_left_with_what_it_gave(line: Line, is_silent: bool) -> None:
    await line.send(b"half")
    if not is_silent:
        line.storage.close()
    inflow = line.inflow(8, IMPATIENT)
    await splice(inflow, line.transport, patience=PATIENT)
    assert (await line.received(4), inflow.taken) == (b"half", 4)


async def test_a_client_that_takes_nothing_is_given_up(line: Line) -> None:
    sending = asyncio.ensure_future(line.send(CONTENT))
    with pytest.raises(ConnectionAbortedError, match="stopped reading"):
        await splice(line.inflow(len(CONTENT)), line.transport, patience=IMPATIENT)
    sending.cancel()


async def test_a_client_that_left_is_an_error(line: Line) -> None:
    await line.send(b"body")
    line.client.close()
    with pytest.raises(ConnectionError):
        await splice(line.inflow(4), line.transport, patience=PATIENT)


async def test_nothing_stays_open(line: Line) -> None:
    before = descriptors()
    await line.send(b"body")
    await splice(line.inflow(4), line.transport, patience=PATIENT)
    assert descriptors() == before


def descriptors() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


async def test_without_descriptors_nothing_is_taken(line: Line) -> None:
    await line.send(b"body")
    inflow = line.inflow(4)
    with no_more_descriptors():
        await splice(inflow, line.transport, patience=PATIENT)
    assert inflow.taken == 0
    assert line.source.recv(100) == b"body"


@contextmanager
def no_more_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
