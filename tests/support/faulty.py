"""A way to a server that breaks as a test wants it to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from typing import TypeAlias

from aiohttp import ClientSession, DummyCookieJar, web
from yarl import URL

Fault: TypeAlias = Callable[[web.Request], web.StreamResponse | None]
"""What to answer instead of asking the server; None: ask it."""

_HOPS = {"Connection", "Transfer-Encoding", "Keep-Alive", "Content-Length", "Expect"}
_LARGEST_BODY = 64 << 20


class FaultyWay:
    """Passes every request on, signature and all, unless the fault of the moment says otherwise."""

    def __init__(self, target: str, session: ClientSession) -> None:
        self._target = target
        self._session = session
        self.fault: Fault = lambda _: None
        self.faults = 0
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        instead = self.fault(request)
        if instead is not None:
            self.faults += 1
            return instead
        headers = {name: value for name, value in request.headers.items() if name not in _HOPS}
        url = URL(self._target + request.raw_path, encoded=True)
        async with self._session.request(request.method, url, headers=headers, data=BytesIO(body)) as answer:
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
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            way.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield way
        finally:
            await asyncio.shield(runner.cleanup())
