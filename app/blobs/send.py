"""Sending a blob: whole or a range of it, from memory, by sendfile, or as the storage yields it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from aiohttp import web

from app.blobs.model import INLINE_BYTES
from app.http import Span, is_known, parse_range, send_file, send_pieces
from app.oci.digest import Digest
from app.resources import Resources, resources
from app.storage import StorageError

_FOREVER: Final = "max-age=31536000, immutable"
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


async def send_blob(
    request: web.Request, digest: Digest, size: int, *, instead: Mapping[str, str] = _NOTHING
) -> web.StreamResponse:
    """Answer GET or HEAD for a blob that the caller may have, by the preconditions and range asked for.

    `instead` are headers to send in place of ours. Raises RangeNotSatisfiable.
    """
    headers = _described(digest) | dict(instead)
    if is_known(request, digest):
        return web.Response(status=304, headers=headers)
    if request.method == "HEAD":
        return web.Response(headers=headers | {"Content-Length": str(size)})
    span = _wanted(request, digest, size)
    if span is None:
        return await _send(request, Part(digest, Span(0, size, size), 200), headers)
    return await _send(request, Part(digest, span, 206), headers | {"Content-Range": span.content_range})


class Part(NamedTuple):
    """What of a blob is sent, and with which status."""

    digest: Digest
    span: Span
    status: int


def _wanted(request: web.Request, digest: Digest, size: int) -> Span | None:
    """Read Range, unless If-Range names other content (RFC 9110, section 13.1.5)."""
    if "Range" not in request.headers or request.headers.get("If-Range", digest).strip('"') != digest:
        return None
    return parse_range(request.headers["Range"], size)


def _described(digest: Digest) -> dict[str, str]:
    return {
        "Content-Type": "application/octet-stream",
        "Docker-Content-Digest": digest,
        "ETag": f'"{digest}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": _FOREVER,
    }


async def _send(request: web.Request, part: Part, headers: dict[str, str]) -> web.StreamResponse:
    r, (digest, span, status) = resources(request), part
    patience = r.settings.uploads.idle_timeout
    try:
        if span.size <= INLINE_BYTES:
            content = await _small(r, digest, span.size)
            return web.Response(status=status, headers=headers, body=content[span.start : span.stop])
        path = r.storage.local_path(digest)
        if path is not None:
            return await send_file(request, path, span, status=status, headers=headers, patience=patience)
        pieces = r.storage.pour(digest, span.start, span.stop)
        return await send_pieces(request, pieces, span, status=status, headers=headers, patience=patience)
    except FileNotFoundError as error:
        raise StorageError(f"{digest} is not where it was put") from error


async def _small(r: Resources, digest: Digest, size: int) -> bytes:
    content = r.cache.get(digest)
    if content is None:
        content = b"".join([piece async for piece in r.storage.read(digest, 0, size)])
        r.cache.put(digest, content)
    return content
