"""A server that is posted to: it writes down what came, and answers as a test says."""

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec
from aiohttp import web

Answering: TypeAlias = Callable[["Received"], Awaitable[web.StreamResponse] | web.StreamResponse]


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def is_signed_with(self, secret: str) -> bool:
        """Check the signature as Standard Webhooks says, by other code than ours."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in self.headers["webhook-signature"].split(" ")


@dataclass
class Consumer:
    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Answering = lambda _: web.Response(status=200)
    request: web.Request = field(init=False)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.request = request
        headers = {name.lower(): value for name, value in request.headers.items()}
        received = Received(request.path, headers, await request.read())
        self.received.append(received)
        answer = self.answer(received)
        return answer if isinstance(answer, web.StreamResponse) else await answer

    async def ids(self) -> list[str]:
        return [each.id for each in self.received]

    async def paths(self) -> set[str]:
        return {each.path for each in self.received}

    async def count(self) -> int:
        return len(self.received)


async def stall(_: Received) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


@asynccontextmanager
async def running_consumer(tls: ssl.SSLContext | None = None) -> AsyncIterator[Consumer]:
    consumer = Consumer()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", consumer.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.01)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        host, port = runner.addresses[0][:2]
        consumer.url = f"{'https' if tls else 'http'}://{host}:{port}/hook"
        yield consumer
    finally:
        await runner.cleanup()
