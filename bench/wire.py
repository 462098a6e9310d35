"""A small HTTP/1.1 client on blocking sockets: a load generator must cost far less than what it measures."""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_NO_HEADERS: Mapping[str, str] = {}
_BODYLESS = frozenset({204, 304})


class AnswerError(Exception):
    """A server answered something else than the benchmark expects."""


@dataclass(frozen=True)
class Response:
    """An answer; `body` is empty when it was read and dropped."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    length: int


class Connection:
    """One kept-alive connection, opened when it is first used and again after the server closed it."""

    def __init__(self, host: str, port: int, authorization: str = "", agent: str = "") -> None:
        self._address = (host, port)
        lines = {"Host": f"{host}:{port}", "Authorization": authorization, "User-Agent": agent}
        self._head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
        self._socket: socket.socket | None = None
        self._buffer = bytearray(1 << 20)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def request(
        self,
        method: str,
        target: str,
        *body: bytes | memoryview,
        headers: Mapping[str, str] = _NO_HEADERS,
        keep: bool = True,
    ) -> Response:
        """Send a request whose body is these parts, and read the answer; `keep=False` drops its body."""
        peer = self._socket or self._open()
        length = sum(len(part) for part in body)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        size = f"Content-Length: {length}\r\n" if body or method != "GET" else ""
        _send(peer, f"{method} {target} HTTP/1.1\r\n{self._head}{lines}{size}\r\n".encode(), body, length)
        return self._read(peer, method, keep=keep)

    def expect(
        self,
        status: int,
        method: str,
        target: str,
        *body: bytes | memoryview,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> Response:
        """Send a request and raise AnswerError unless it is answered with this status."""
        response = self.request(method, target, *body, headers=headers)
        if response.status != status:
            answer = response.body[:300].decode(errors="replace")
            raise AnswerError(f"{method} {target}: {response.status} instead of {status}: {answer}")
        return response

    def _open(self) -> socket.socket:
        self._socket = socket.create_connection(self._address, timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _read(self, peer: socket.socket, method: str, *, keep: bool) -> Response:
        status, headers, rest = self._read_head(peer)
        if method == "HEAD" or status in _BODYLESS:
            length, body = 0, b""
        elif "content-length" not in headers:
            raise AnswerError(f"{method}: an answer without Content-Length")
        else:
            length = int(headers["content-length"])
            body = self._read_body(peer, rest, length, keep=keep)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Response(status, headers, body, length)

    def _read_head(self, peer: socket.socket) -> tuple[int, dict[str, str], bytes]:
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            part = peer.recv(65536)
            if not part:
                self.close()
                raise AnswerError("the server closed the connection")
            received += part
        lines = received[:end].decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in lines[1:])
        headers = {name.lower(): value.strip() for name, value in pairs}
        return int(lines[0].split(" ", 2)[1]), headers, received[end + 4 :]

    def _read_body(self, peer: socket.socket, rest: bytes, length: int, *, keep: bool) -> bytes:
        kept, left = bytearray(rest), length - len(rest)
        while left > 0:
            # All that fits, at once: waking up a client that is faster than real ones costs the server.
            count = peer.recv_into(self._buffer, min(left, len(self._buffer)), socket.MSG_WAITALL)
            if not count:
                self.close()
                raise AnswerError(f"the server closed the connection {left} bytes early")
            if keep:
                kept += memoryview(self._buffer)[:count]
            left -= count
        return bytes(kept) if keep else b""


def location(response: Response) -> str:
    """Return path and query of the Location header, which may be absolute."""
    value = response.headers["location"]
    return "/" + value.split("/", 3)[3] if value.startswith("http") else value


def _send(peer: socket.socket, head: bytes, body: Sequence[bytes | memoryview], length: int) -> None:
    if length <= 65536:
        peer.sendall(b"".join((head, *body)))
        return
    peer.sendall(head)
    for part in body:
        peer.sendall(part)
