"""Sockets to a storage that end when it takes no more of what is sent."""

import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeAlias

SocketFactory: TypeAlias = Callable[[tuple[Any, ...]], socket.socket]

_PATIENCE_OPTION: Final = getattr(socket, "TCP_USER_TIMEOUT", None)
"""Linux alone has it; elsewhere a server that stops reading is waited for until the system gives up."""


def ending_after(silence: timedelta) -> SocketFactory:
    """Return what makes sockets whose connection ends when nothing that was sent is taken for this long.

    What reads an answer has a timeout of its own, but in aiohttp it begins once the whole request has been
    written, and that waits for a server that stops reading for ever (RFC 793, section 3.8; RFC 5482).
    """

    def make(found: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, *_ = found
        made = socket.socket(family, kind, protocol)
        if _PATIENCE_OPTION is not None:
            made.setsockopt(socket.IPPROTO_TCP, _PATIENCE_OPTION, int(silence.total_seconds() * 1000))
        return made

    return make
