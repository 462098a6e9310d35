"""Reading request bodies: all of a small one, or piece by piece with a time limit on silence."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

from aiohttp import ClientPayloadError, HttpVersion11, web

from app.oci.errors import BodyTooLarge, SizeInvalid


class BodyCut(SizeInvalid):
    """The body ended before its announced length, or nothing came for too long."""

    sentence = "the body ended before its announced length"


async def continue_later(_request: web.Request) -> None:
    """Answer an Expect header with nothing yet: whoever reads the body says `100 Continue`."""


async def read_limited(request: web.Request, limit: int, idle: timedelta) -> bytes:
    """Return the whole body; raise BodyTooLarge above `limit` bytes, BodyCut when it does not come."""
    if (request.content_length or 0) > limit:
        raise BodyTooLarge({"limit": limit})
    pieces: list[bytes] = []
    size = 0
    async for piece in pieces_of(request, idle):
        size += len(piece)
        if size > limit:
            raise BodyTooLarge({"limit": limit})
        pieces.append(piece)
    return b"".join(pieces)


async def pieces_of(request: web.Request, idle: timedelta) -> AsyncIterator[bytes]:
    """Yield the body as it comes; raise BodyCut when the connection breaks or is silent for `idle`."""
    content = request.content
    seconds = idle.total_seconds()
    await _invite(request)
    while not content.at_eof():
        try:
            async with asyncio.timeout(None if content.is_eof() else seconds):
                piece = await content.readany()
        except TimeoutError:
            raise BodyCut(f"nothing came for {seconds:g} s") from None
        except (ConnectionError, ClientPayloadError) as error:
            raise BodyCut(str(error)) from error
        if piece:
            yield piece


async def _invite(request: web.Request) -> None:
    """Ask a client that waits for `100 Continue` to send its body (RFC 9110, section 10.1.1)."""
    is_waiting = request.headers.get("Expect", "").lower() == "100-continue"
    if is_waiting and request.version >= HttpVersion11 and not request.content.is_eof():
        try:
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        except ConnectionError as error:
            raise BodyCut(str(error)) from error
        request.writer.output_size = 0  # of the answer, nothing was sent yet
