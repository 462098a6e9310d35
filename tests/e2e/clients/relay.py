"""A relay in front of the registry: counts bytes, speaks TLS, and cuts answers short."""

import contextlib
import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

CHUNK = 64 << 10


@dataclass
class Traffic:
    """What went through, and what shall still be cut."""

    sent: int = 0
    """Bytes from clients to the registry."""
    requests: bytearray = field(default_factory=bytearray)
    """The first bytes that clients sent, enough to find request lines and headers of small requests."""
    cuts_left: int = 0
    cut_after: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, data: bytes) -> None:
        with self.lock:
            self.sent += len(data)
            if len(self.requests) < 1 << 20:
                self.requests += data

    def takes_cut(self, received: int) -> bool:
        """Tells a connection that has carried so many bytes of answers to break, as often as was asked."""
        with self.lock:
            if not self.cuts_left or received < self.cut_after:
                return False
            self.cuts_left -= 1
            return True


class Relay(socketserver.ThreadingTCPServer):
    """Listens on a free port of 127.0.0.1."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.upstream = ("", 0)
        self.tls = tls
        self.traffic = Traffic()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @contextlib.contextmanager
    def passing_on_to(self, upstream: str) -> Iterator[None]:
        """Serves until the block ends."""
        host, _, port = upstream.rpartition(":")
        self.upstream = (host, int(port))
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            thread.join()

    def cut(self, *, times: int, after: int) -> None:
        """Breaks the next connections, each when it has carried `after` bytes of answers."""
        self.traffic.cut_after, self.traffic.cuts_left = after, times


class _Connection(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):  # either end may go at any time
            client = self.request
            if self.server.tls is not None:
                client = self.server.tls.wrap_socket(client, server_side=True)
                stack.enter_context(client)
            registry = stack.enter_context(socket.create_connection(self.server.upstream))
            self._pass(client, registry)

    def _pass(self, client: socket.socket, registry: socket.socket) -> None:
        traffic = self.server.traffic
        received = 0
        while True:
            for ready in _readable(client, registry):
                data = ready.recv(CHUNK)
                if not data:
                    return
                if ready is client:
                    traffic.record(data)
                    registry.sendall(data)
                    continue
                received += len(data)
                if traffic.takes_cut(received):
                    return
                client.sendall(data)


def _readable(client: socket.socket, registry: socket.socket) -> list[socket.socket]:
    if isinstance(client, ssl.SSLSocket) and client.pending():
        return [client]  # decrypted already: select() would not see it
    return select.select([client, registry], [], [])[0]
