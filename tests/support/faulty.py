"""A way to a server that breaks as a test wants it to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from io import BytesIO
from itertools import chain, repeat
from typing import TypeAlias

from aiohttp import ClientSession, DummyCookieJar, web
from yarl import URL

from tests.support.eventually import pass_time

Ask: TypeAlias = Callable[[], Awaitable[web.Response]]
"""Asks the server after all."""

Fault: TypeAlias = Callable[[web.Request, Ask], Awaitable[web.StreamResponse]]
"""What a request is answered with."""

_HOPS = {"Connection", "Transfer-Encoding", "Keep-Alive", "Content-Length", "Expect"}
_LARGEST_BODY = 64 << 20
_SECONDS_TO_END = 0.1


async def no_fault(_: web.Request, ask: Ask) -> web.StreamResponse:
    return await ask()


async def reset(request: web.Request, _: Ask) -> web.StreamResponse:
    """The connection is gone before there is an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def stalled(_: web.Request, ask: Ask) -> web.StreamResponse:
    """Nothing comes, until whoever asks gives up."""
    await asyncio.Event().wait()
    return await ask()


async def truncated(request: web.Request, ask: Ask) -> web.StreamResponse:
    """Half of the body comes, and then the end of the connection."""
    response = await _half(request, ask)
    if request.transport is not None:
        request.transport.close()
    return response


async def halted(request: web.Request, ask: Ask) -> web.StreamResponse:
    """Half of the body comes, and then nothing more."""
    await _half(request, ask)
    return await stalled(request, ask)


async def _half(request: web.Request, ask: Ask) -> web.StreamResponse:
    whole = await ask()
    content = whole.body if isinstance(whole.body, bytes) else b""
    response = web.StreamResponse(status=whole.status, headers=whole.headers)
    response.content_length = len(content)
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    return response


def late(seconds: float) -> Fault:
    """The server has done it, but the answer takes its time."""

    async def fault(_: web.Request, ask: Ask) -> web.StreamResponse:
        answer = await ask()
        await pass_time(seconds)
        return answer

    return fault


def answering(status: int, text: str) -> Fault:
    """The server says this instead."""

    async def fault(_: web.Request, ask: Ask) -> web.StreamResponse:  # noqa: ARG001 - it is not asked
        return web.Response(status=status, text=text, content_type="application/xml")

    return fault


async def endless(request: web.Request, _: Ask) -> web.StreamResponse:
    """The server says 200, and not how much follows; nothing does."""
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write_eof()
    return response


def first(count: int, fault: Fault) -> Fault:
    """So many times, and then no more."""
    left = iter(range(count))

    async def at_first(request: web.Request, ask: Ask) -> web.StreamResponse:
        return await ask() if next(left, None) is None else await fault(request, ask)

    return at_first


def once(fault: Fault, then: Fault) -> Fault:
    """One time, and then another one for ever."""
    faults = chain([fault], repeat(then))

    async def one_after_the_other(request: web.Request, ask: Ask) -> web.StreamResponse:
        return await next(faults)(request, ask)

    return one_after_the_other


def where(is_meant: Callable[[web.Request], bool], fault: Fault) -> Fault:
    """Only for some requests."""

    async def sometimes(request: web.Request, ask: Ask) -> web.StreamResponse:
        return await (fault(request, ask) if is_meant(request) else ask())

    return sometimes


class FaultyWay:
    """Passes every request on, signature and all, unless the fault of the moment does otherwise."""

    def __init__(self, target: str, session: ClientSession) -> None:
        self._target = target
        self._session = session
        self.fault: Fault = no_fault
        self.is_spoiled: Callable[[web.Request], bool] = lambda _: False
        """Whether the first bit of a request's body is turned on the way."""
        self.is_deaf = False
        """Whether no body is taken, until whoever sends one gives up."""
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.is_deaf and request.can_read_body:
            await asyncio.Event().wait()
        body = await request.read()
        if body and self.is_spoiled(request):
            body = bytes([body[0] ^ 0x80]) + body[1:]
        return await self.fault(request, partial(self._ask, request, body))

    async def _ask(self, request: web.Request, body: bytes) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name not in _HOPS}
        url = URL(self._target + request.raw_path, encoded=True)
        # Not a header more: some are part of what is signed.
        async with self._session.request(
            request.method,
            url,
            headers=headers,
            data=BytesIO(body) if body else None,
            skip_auto_headers=("Content-Type", "Accept", "Accept-Encoding", "User-Agent"),
        ) as answer:
            passed = {name: value for name, value in answer.headers.items() if name not in _HOPS}
            if request.method == "HEAD":
                passed["Content-Length"] = answer.headers.get("Content-Length", "0")
            return web.Response(status=answer.status, headers=passed, body=await answer.read())


@asynccontextmanager
async def faulty_way(target: str) -> AsyncIterator[FaultyWay]:
    """Lend a way to the server at this URL, by a loopback port of its own."""
    async with ClientSession(auto_decompress=False, cookie_jar=DummyCookieJar()) as session:
        way = FaultyWay(target, session)
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", way.answer)
        runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=_SECONDS_TO_END
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            way.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield way
        finally:
            await asyncio.shield(runner.cleanup())
