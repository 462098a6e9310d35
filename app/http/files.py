"""File bodies by sendfile(2), on any event loop.

uvloop has no `loop.sendfile`, so the bytes are sent on a duplicate of the connection's socket once
the headers have left the transport's own buffer.
"""

import asyncio
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from socket import socket
from typing import Final

from aiohttp import web

from app.http.ranges import Span

_STRIDE: Final = 4 << 20
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
    await asyncio.sleep(0)  # the event loop writes the headers
    sending = _Sending(transport, connection.fileno(), file, span=span)
    if sending.step():
        return
    descriptor = os.dup(connection.fileno())
    try:
        await sending.go_on(descriptor, patience)
    finally:
        os.close(descriptor)


class _Sending:
    """Sends a file whenever the socket of a connection takes more.

    Most files fit into it at once. Of others the event loop calls `_step` as long as a second descriptor of
    the socket is writable: no task is woken in between, and others have their turn after each step.
    """

    def __init__(self, transport: asyncio.Transport, descriptor: int, file: int, *, span: Span) -> None:
        self._transport = transport
        self._descriptor = descriptor
        self._file = file
        self._start, self._stop = span.start, span.stop
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()

    def step(self) -> bool:
        """Send what the socket takes now; whether that was all. Raises ConnectionError."""
        self._step()
        if self._done.done():
            self._done.result()
        return self._done.done()

    async def go_on(self, descriptor: int, patience: float) -> None:
        """Send the rest; raise ConnectionError when the client leaves, or takes nothing for so long."""
        self._descriptor = descriptor
        self._loop.add_writer(descriptor, self._step)
        try:
            while not self._done.done():
                before = self._start
                await asyncio.wait({self._done}, timeout=patience)
                if self._start == before and not self._done.done():
                    raise ConnectionAbortedError("the client stopped reading")
            self._done.result()
        finally:
            self._loop.remove_writer(descriptor)

    def _step(self) -> None:
        if self._done.done() or self._transport.get_write_buffer_size():
            return  # the headers go first
        try:
            count = min(_STRIDE, self._stop - self._start)
            sent = os.sendfile(self._descriptor, self._file, self._start, count)
        except BlockingIOError:
            return
        except OSError as error:
            self._done.set_exception(error)
            return
        self._start += sent
        if self._start == self._stop:
            self._done.set_result(None)
        elif sent == 0:
            self._done.set_exception(ConnectionAbortedError("the file is shorter than the database says"))
