"""Bodies that are left on the socket by which the storage sends them."""

from collections.abc import Callable
from typing import NamedTuple

from aiohttp import ClientResponse, hdrs


class Held(NamedTuple):
    """A body whose connection is not read from until `release` is called."""

    begun: bytes
    """What had been read already."""

    descriptor: int
    """The socket where the rest is."""

    release: Callable[[], None]


def hold(response: ClientResponse) -> Held | None:
    """Hold a body that lies on its socket as it is: not encrypted, not in chunks, not come whole already."""
    connection = response.connection
    if connection is None or hdrs.TRANSFER_ENCODING in response.headers:
        return None
    transport, protocol = connection.transport, connection.protocol
    if transport is None or protocol is None or transport.get_extra_info("sslcontext"):
        return None
    # Emptying the buffer lets the connection be read from again, so that comes first.
    begun = b"".join(iter(response.content.read_nowait, b""))
    protocol.pause_reading()
    return Held(begun, transport.get_extra_info("socket").fileno(), protocol.resume_reading)
