"""Signed URLs for uploads, as a query asks for them and an answer shows them."""

from typing import Final
from urllib.parse import urljoin

import msgspec
from aiohttp import web
from msgspec.structs import replace

from app.blobs.direct import MOST_PARTS, MOST_URLS, PresignedPart, Wanted
from app.http import base_url
from app.oci.digest import Digest
from app.oci.errors import BlobUploadInvalid
from app.storage import DirectPart

_MOST_BYTES: Final = 5 << 40


def wanted_of(request: web.Request) -> Wanted:
    """Return what the query asks for; raise BlobUploadInvalid or DigestInvalid."""
    query = request.query
    first = _number(request, "part_number", most=MOST_PARTS) or 1
    count = _number(request, "parts", most=MOST_URLS) or 1
    if first + count - 1 > MOST_PARTS:
        raise BlobUploadInvalid(f"part_number, parts: an upload has {MOST_PARTS} parts at most")
    return Wanted(
        is_whole="part_number" not in query and "parts" not in query,
        first=first,
        count=count,
        digest=Digest.parse(query["digest"]) if "digest" in query else None,
        size=_number(request, "size", least=0, most=_MOST_BYTES),
    )


def signed(request: web.Request, parts: list[PresignedPart]) -> web.Response:
    """Show one URL, or with `parts` a list of them; nobody in between may keep the answer."""
    parts = [replace(part, presigned_url=urljoin(base_url(request), part.presigned_url)) for part in parts]
    if "parts" in request.query:
        return _json({"parts": parts})
    (part,) = parts
    shown = {"presigned_url": part.presigned_url, "expires_at": part.expires_at, "headers": part.headers}
    return _json(shown)


def listed(parts: list[DirectPart]) -> web.Response:
    """Show what has come."""
    return _json({"parts": [{"part_number": part.number, "size_bytes": part.size_bytes} for part in parts]})


def _number(request: web.Request, name: str, *, most: int, least: int = 1) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not is_number or not least <= int(text) <= most:
        raise BlobUploadInvalid(f"{name}: a whole number from {least} to {most}")
    return int(text)


def _json(document: object) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(document),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
