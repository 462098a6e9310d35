"""File bodies by sendfile(2), on any event loop.

uvloop has no `loop.sendfile`, so the bytes are sent on a duplicate of the connection's socket once
the headers have left the transport's own buffer.
"""

import asyncio
import os
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from socket import socket
from typing import Final

from aiohttp import web

from app.http.ranges import Span

_STRIDE: Final = 1 << 20
"""Bytes for one call: others on the event loop wait for no more than this."""


async def send_file(
    request: web.Request,
    path: Path,
    span: Span,
    *,
    status: int,
    headers: Mapping[str, str],
    patience: timedelta,
) -> web.StreamResponse:
    """Answer with the bytes of `span`; raise FileNotFoundError before anything was sent.

    A client that takes nothing for as long as `patience` is given up.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        response = web.StreamResponse(status=status, headers=headers)
        response.content_length = span.length
        await response.prepare(request)
        if request.method != "HEAD":
            await _send(request, file, span, patience=patience.total_seconds())
        await response.write_eof()
        return response
    finally:
        os.close(file)


async def _send(request: web.Request, file: int, span: Span, *, patience: float) -> None:
    transport = request.transport
    connection: socket | None = transport.get_extra_info("socket") if transport else None
    if transport is None or connection is None:
        raise ConnectionResetError("the client went away")
    with closing(_Duplicate(connection, patience)) as duplicate:
        await asyncio.sleep(0)  # uvloop writes the headers at the end of its turn
        while transport.get_write_buffer_size():
            await duplicate.writable()
            await asyncio.sleep(0)
        start = span.start
        while start < span.stop:
            sent = duplicate.send(file, start, min(_STRIDE, span.stop - start))
            if sent == 0:
                await duplicate.writable()
            start += sent


class _Duplicate:
    """A second descriptor of a connection's socket, on which we send and wait ourselves."""

    def __init__(self, connection: socket, patience: float) -> None:
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._descriptor = os.dup(connection.fileno())

    def send(self, file: int, start: int, count: int) -> int:
        """Send without waiting; return how many bytes the socket took, 0 when it is full."""
        try:
            sent = os.sendfile(self._descriptor, file, start, count)
        except BlockingIOError:
            return 0
        if sent == 0:
            raise ConnectionAbortedError("the file is shorter than the database says")
        return sent

    async def writable(self) -> None:
        """Wait until the socket takes more; raise ConnectionAbortedError when it does not."""
        ready = self._loop.create_future()
        self._loop.add_writer(self._descriptor, ready.set_result, None)
        try:
            async with asyncio.timeout(self._patience):
                await ready
        except TimeoutError:
            raise ConnectionAbortedError("the client stopped reading") from None
        finally:
            self._loop.remove_writer(self._descriptor)

    def close(self) -> None:
        """Close the second descriptor."""
        os.close(self._descriptor)
