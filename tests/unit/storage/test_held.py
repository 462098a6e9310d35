"""Which bodies can be taken from their socket."""

import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import ClientResponse, ClientSession, TCPConnector, web
from aiohttp.test_utils import TestServer

from app.storage.held import hold
from tests.outgoing.certificates import server_context
from tests.support.eventually import until

CONTENT = bytes(range(256)) * 4_000


async def whole(_: web.Request) -> web.Response:
    return web.Response(body=CONTENT)


async def in_chunks(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(CONTENT)
    return response


@asynccontextmanager
async def asked(path: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[ClientResponse]:
    app = web.Application()
    app.add_routes([web.get("/whole", whole), web.get("/in-chunks", in_chunks)])
    server = TestServer(app)
    await server.start_server(ssl=tls)
    try:
        async with (
            ClientSession(connector=TCPConnector(ssl=False)) as session,
            session.get(server.make_url(path)) as response,
        ):
            yield response
    finally:
        await server.close()


async def test_what_was_not_read_yet_lies_on_the_socket() -> None:
    async with asked("/whole") as response:
        held = hold(response)
        assert held is not None
        taken = bytearray()

        async def take() -> int:
            with suppress(BlockingIOError):
                taken.extend(os.read(held.descriptor, 1 << 20))
            return len(held.begun) + len(taken)

        await until(take, len(CONTENT).__eq__)
        assert held.begun + taken == CONTENT


async def test_what_is_let_go_is_read_as_ever() -> None:
    async with asked("/whole") as response:
        held = hold(response)
        assert held is not None
        held.release()
        assert held.begun + await response.read() == CONTENT


async def test_a_body_in_chunks_is_read() -> None:
    async with asked("/in-chunks") as response:
        assert hold(response) is None
        assert await response.read() == CONTENT


async def test_an_encrypted_body_is_read(tmp_path: Path) -> None:
    async with asked("/whole", server_context(tmp_path, "127.0.0.1")) as response:
        assert hold(response) is None
        assert await response.read() == CONTENT


async def test_a_body_that_has_come_is_not_held() -> None:
    async with asked("/whole") as response:
        assert await response.read() == CONTENT
        assert hold(response) is None
