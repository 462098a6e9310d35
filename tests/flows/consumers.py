"""Consumers of webhooks, good and bad ones: what they answered 2xx they have seen."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, TypeAlias

TOLERANCE_SECONDS = 300
BAD_EVERY: Final = 5
"""Every fifth delivery has a bad first attempt: too seldom to open a circuit breaker."""


class Forged(Exception):
    """A delivery that its secret did not sign."""


@dataclass(frozen=True)
class Seen:
    """A delivery that was answered 2xx."""

    delivery_id: str
    tag: str
    repository: str


@dataclass
class Consumer:
    """One target: how it misbehaves at first, the secret it knows, and what it has seen, in order.

    It says that it has seen something `late_seconds` later: time for the sender to be killed in.
    """

    name: str
    misbehave: "Misbehaviour | None" = None
    late_seconds: float = 0.0
    secret: str = ""
    seen: list[Seen] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)
    authorization: set[str] = field(default_factory=set)
    tried: set[str] = field(default_factory=set)
    attempts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_bad_turn(self, delivery_id: str) -> bool:
        """Whether this is the first attempt of a delivery that has to be tried again."""
        with self.lock:
            self.attempts += 1
            is_first = delivery_id not in self.tried
            self.tried.add(delivery_id)
        return is_first and hashlib.sha256(delivery_id.encode()).digest()[0] % BAD_EVERY == 0

    def take(self, headers: dict[str, str], body: bytes) -> None:
        """Remember a delivery, whether it is forged, too."""
        try:
            verify(self.secret, headers, body)
        except Forged as error:
            self.forged.append(str(error))
        data = json.loads(body)["event_data"]
        tag, repository = data["resources"][0]["tag"], data["repository"]["repo_full_name"]
        with self.lock:
            self.authorization.add(headers.get("authorization", ""))
            self.seen.append(Seen(headers["webhook-id"], tag, repository))


def verify(secret: str, headers: dict[str, str], body: bytes) -> None:
    """Check a signature as https://www.standardwebhooks.com says; raise Forged."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    if expected not in headers["webhook-signature"].split():
        raise Forged(headers["webhook-id"])
    if abs(time.time() - int(headers["webhook-timestamp"])) > TOLERANCE_SECONDS:
        raise Forged(f"{headers['webhook-id']} is too old")


class Handler(BaseHTTPRequestHandler):
    """Every path is a target."""

    protocol_version = "HTTP/1.1"
    server: "Crowd"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        name = self.path.strip("/").removesuffix("/moved")
        consumer = self.server.consumers[name]
        if consumer.is_bad_turn(headers["webhook-id"]) and consumer.misbehave:
            consumer.misbehave(self)
            return
        consumer.take(headers, body)
        self.server.is_over.wait(consumer.late_seconds)
        self.answer(204)

    def answer(self, status: int, **fields: str) -> None:
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


Misbehaviour: TypeAlias = Callable[[Handler], None]


def fail(handler: Handler) -> None:
    handler.answer(500)


def ask_for_patience(handler: Handler) -> None:
    handler.answer(503, Retry_After="1")


def send_elsewhere(handler: Handler) -> None:
    """Send the client to another path, where the same delivery is taken."""
    handler.answer(307, Location=f"{handler.path}/moved")


def stall(handler: Handler) -> None:
    """Answer nothing until the client has given up."""
    handler.rfile.read(1)
    handler.close_connection = True


def talk_nonsense(handler: Handler) -> None:
    handler.wfile.write(b"\x00\xffHTTP/9 what? \r\n\r\n\r\n")
    handler.close_connection = True


class Crowd(ThreadingHTTPServer):
    """Serves all consumers on one port."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, consumers: list[Consumer]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.is_over: Final = threading.Event()
        self.consumers: Final = {consumer.name: consumer for consumer in consumers}

    def url_of(self, consumer: Consumer) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{consumer.name}"

    def handle_error(self, *_: Any) -> None:
        """A client that was killed is nothing to tell of."""


@contextmanager
def consuming(*consumers: Consumer) -> Iterator[Crowd]:
    """Serve consumers until the block ends."""
    with Crowd(list(consumers)) as crowd:
        thread = threading.Thread(target=crowd.serve_forever)
        thread.start()
        try:
            yield crowd
        finally:
            crowd.is_over.set()
            crowd.shutdown()
            thread.join()
