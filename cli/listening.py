"""Listening sockets: one for each web process, all on one port.

Linux spreads connections over them; elsewhere they are one, which every process accepts from. They are
made and kept open by the parent, so that the connections that wait on a crashed process's socket are
served by the one that takes its place.
"""

import errno
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from cli.programs import StartError

_BACKLOG = 1024
_REASONS = {
    errno.EADDRINUSE: "another program listens there. Stop it, or set ROADSTEAD_LISTEN to another address.",
    errno.EADDRNOTAVAIL: "this machine has no such address. Set ROADSTEAD_LISTEN to another one.",
    errno.EACCES: "a port below 1024 needs more rights. Set ROADSTEAD_LISTEN to another one.",
}


@contextmanager
def listening(host: str, port: int, count: int) -> Iterator[list[socket.socket]]:
    """Lend this many listening sockets on one port (0: any free one); StartError if it cannot be had."""
    with ExitStack() as stack:
        try:
            sockets = [stack.enter_context(each) for each in _listen(host, port, count)]
        except OSError as error:
            reason = _REASONS.get(error.errno or 0, f"{error.strerror}.")
            raise StartError(f"Cannot listen on {format_address(host, port)}: {reason}") from None
        yield sockets


def format_address(host: str, port: int) -> str:
    """Write host and port the way a URL has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _listen(host: str, port: int, count: int) -> Iterator[socket.socket]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    with _reusable(family) as probe:
        # The sockets below share their port with whoever else shares it: only this one notices somebody.
        probe.bind(address)
        address = probe.getsockname()
    if sys.platform == "linux":
        for _ in range(count):
            listener = _reusable(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            yield _bound(listener, address)
    else:  # of several sockets on one port, one would get all connections
        yield (shared := _bound(_reusable(family), address))
        for _ in range(count - 1):
            yield shared.dup()


def _bound(listener: socket.socket, address: Any) -> socket.socket:  # noqa: ANN401 - its shape depends on the family
    try:
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _reusable(family: int) -> socket.socket:
    """Open a socket whose port can be had at once after those who used it have gone."""
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return opened
