"""Bodies that come from elsewhere in pieces, in flat memory."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import timedelta
from functools import partial

import structlog
from aiohttp import web

from app.http.ranges import Span
from app.http.splice import splice
from app.storage import Inflow, StorageError

log = structlog.get_logger()


async def send_pieces(
    request: web.Request,
    pieces: AsyncGenerator[bytes | Inflow],
    span: Span,
    *,
    status: int,
    headers: Mapping[str, str],
    patience: timedelta,
) -> web.StreamResponse:
    """Answer with the pieces of `span`; an error before the first is raised before anything was sent.

    Once the length is announced, only a connection that breaks can say that the rest will not come. A
    client that takes nothing for as long as `patience` is given up.
    """
    async with aclosing(pieces):
        first = await anext(pieces, b"")
        response = web.StreamResponse(status=status, headers=headers)
        response.content_length = span.length
        await response.prepare(request)
        write = partial(_write, request, response, patience=patience.total_seconds())
        try:
            await write(first)
            async for piece in pieces:
                await write(piece)
        except (StorageError, FileNotFoundError) as error:
            log.warning("body_broke_off", error=str(error), path=request.path)
            raise ConnectionAbortedError(str(error)) from error
        await response.write_eof()
        return response


async def _write(
    request: web.Request, response: web.StreamResponse, piece: bytes | Inflow, *, patience: float
) -> None:
    if isinstance(piece, Inflow):
        if request.transport is None:
            raise ConnectionResetError("the client went away")
        await splice(piece, request.transport, patience=patience)
        return
    try:
        async with asyncio.timeout(patience):
            await response.write(piece)
    except TimeoutError:
        raise ConnectionResetError("the client takes nothing") from None
