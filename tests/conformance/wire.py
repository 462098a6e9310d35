"""HTTP/1.1 byte by byte, to say what no well-behaved client library would."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import BasicAuth
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from tests.conformance.client import NOTHING, Answer, Registry

PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Wire:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    url: str

    async def send(self, data: bytes) -> None:
        """Write all of it, or as much as the other side wants to hear."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except ConnectionError:
            pass  # it has hung up, and may have said why

    async def answer(self, method: str = "GET") -> Answer:
        """Read one answer; `method` is what was asked, as HEAD is answered without a body."""
        async with asyncio.timeout(PATIENCE):
            status_line = await self.reader.readuntil(b"\r\n")
            headers = CIMultiDictProxy(CIMultiDict(await self._headers()))
            length = 0 if method == "HEAD" else int(headers.get("Content-Length", "0"))
            body = await self.reader.readexactly(length)
        return Answer(method, self.url, int(status_line.split(b" ")[1]), headers, body)

    async def answer_or_hang_up(self, method: str = "GET") -> Answer | None:
        """Read an answer, or nothing from a server that closed the connection instead."""
        try:
            return await self.answer(method)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def wait_closed(self) -> None:
        """Read on until the server has closed the connection."""
        async with asyncio.timeout(PATIENCE):
            try:
                while await self.reader.read(65536):
                    pass
            except ConnectionError:
                pass

    def cut(self) -> None:
        """Break the connection as a lost network does: no goodbye."""
        self.writer.transport.abort()

    async def _headers(self) -> list[tuple[str, str]]:
        found = []
        while (line := await self.reader.readuntil(b"\r\n")) != b"\r\n":
            name, _, value = line.decode("latin-1").partition(":")
            found.append((name, value.strip()))
        return found


@asynccontextmanager
async def connect(url: str, *, receive_buffer: int = 1 << 16) -> AsyncIterator[Wire]:
    """A connection to the server of this URL; a small buffer makes a server wait for its reader."""
    parts = URL(url)
    reader, writer = await asyncio.open_connection(parts.host, parts.port, limit=receive_buffer)
    try:
        yield Wire(reader, writer, url)
    finally:
        writer.transport.abort()


def head(method: str, target: str, headers: Mapping[str, Any] = NOTHING) -> bytes:
    """A request line and headers, sent as they are; the target may be a whole URL."""
    if target.startswith("http"):
        target = URL(target, encoded=True).raw_path_qs
    lines = [f"{method} {target} HTTP/1.1", "Host: registry.test", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


async def ask(registry: Registry, request: bytes) -> Answer | None:
    """Send one request on a connection of its own; None if the server hung up without an answer."""
    async with connect(registry.url) as wire:
        await wire.send(request)
        return await wire.answer_or_hang_up(request.partition(b" ")[0].decode())


def basic(auth: BasicAuth) -> dict[str, str]:
    return {"Authorization": auth.encode()}
