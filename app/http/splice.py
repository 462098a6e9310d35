"""Bytes from one socket to another by splice(2): they stay in the kernel, and are not copied."""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from app.storage import Inflow

_PIPE_BYTES: Final = 1 << 19
"""The size that is asked for; a user's pipes may have 64 MB together."""

_LEAST_PIPE_BYTES: Final = 1 << 18
"""One that cannot be as large as this is too slow to be of use."""

_STRIDE: Final = 1 << 20
"""Bytes for one call: of what lies in large pages, a pipe takes more than its size."""

if sys.platform == "linux":
    import fcntl

    _move = os.splice

    def _pipe(stack: ExitStack) -> tuple[int, int]:
        outlet, inlet = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        stack.callback(os.close, outlet)
        stack.callback(os.close, inlet)
        try:
            fcntl.fcntl(inlet, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        except PermissionError:
            fcntl.fcntl(inlet, fcntl.F_SETPIPE_SZ, _LEAST_PIPE_BYTES)
        return outlet, inlet

else:

    def _move(source: int, target: int, count: int) -> int:
        raise OSError(f"{count} bytes cannot go from {source} to {target}: only Linux has splice")

    def _pipe(stack: ExitStack) -> tuple[int, int]:
        raise OSError(f"no pipe for {stack}: only Linux has splice")


async def splice(inflow: Inflow, transport: asyncio.Transport, *, patience: float) -> None:
    """Move what comes in to a connection, behind what is in its buffer; count it in `inflow.taken`.

    Returns early where pipes or descriptors run out, and when the source ends, fails or is silent.

    Raises:
        ConnectionError: the client left, or took nothing for `patience` seconds.
    """
    with ExitStack() as stack:
        try:
            outlet, inlet = _pipe(stack)
            source = _Socket(inflow.descriptor, inflow.patience, stack)
            target = _Socket(transport.get_extra_info("socket").fileno(), patience, stack)
        except OSError:
            return
        await _flush(transport, target)
        while left := inflow.length - inflow.taken:
            in_pipe = await _fill(inlet, source, min(left, _STRIDE))
            if not in_pipe:
                return
            while in_pipe:
                sent = await _empty(outlet, target, in_pipe)
                in_pipe -= sent
                inflow.taken += sent
            await asyncio.sleep(0)  # others have their turn, however fast both sides are


class _Socket:
    """A second descriptor of a connection's socket: the event loop watches the first one for itself."""

    def __init__(self, descriptor: int, patience: float, stack: ExitStack) -> None:
        self.descriptor = os.dup(descriptor)
        stack.callback(os.close, self.descriptor)
        self._patience = patience
        self._loop = asyncio.get_running_loop()

    async def has_bytes(self) -> bool:
        """Wait until there is something to read, or the end; whether it is so in time."""
        return await self._is_ready(self._loop.add_reader, self._loop.remove_reader)

    async def has_room(self) -> bool:
        """Wait until something can be written; whether it can in time."""
        return await self._is_ready(self._loop.add_writer, self._loop.remove_writer)

    async def _is_ready(self, watch: Callable[..., object], forget: Callable[[int], object]) -> bool:
        ready: asyncio.Future[None] = self._loop.create_future()
        watch(self.descriptor, _settle, ready)
        try:
            done, _ = await asyncio.wait({ready}, timeout=self._patience)
        finally:
            forget(self.descriptor)
        return bool(done)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def _flush(transport: asyncio.Transport, target: _Socket) -> None:
    await asyncio.sleep(0)
    while transport.get_write_buffer_size():
        await _room(target)


async def _fill(inlet: int, source: _Socket, count: int) -> int:
    """Move what has come into the pipe; nothing when no more comes, for whatever reason."""
    while True:
        try:
            return _move(source.descriptor, inlet, count)
        except BlockingIOError:
            pass
        except OSError:
            return 0
        if not await source.has_bytes():
            return 0


async def _empty(outlet: int, target: _Socket, count: int) -> int:
    """Move on from the pipe, where as many bytes are; return how many it were."""
    while True:
        try:
            return _move(outlet, target.descriptor, count)
        except BlockingIOError:
            await _room(target)


async def _room(target: _Socket) -> None:
    if not await target.has_room():
        raise ConnectionAbortedError("the client stopped reading")
