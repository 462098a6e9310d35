"""Signed URLs for uploads, as a query asks for them and an answer shows them."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urljoin

import msgspec
from aiohttp import web
from msgspec import Meta, Struct
from msgspec.structs import replace

from app.blobs.direct import MOST_PARTS, MOST_URLS, PresignedPart, Wanted
from app.http import base_url
from app.oci.digest import Digest
from app.oci.errors import BlobUploadInvalid
from app.storage import LARGEST_BLOB, DirectPart


class UploadQuery(Struct, frozen=True):
    """What is asked of an upload session: how far it got, or one of the two that say "true"."""

    presigned: Annotated[str, Meta(description="`true`: sign URLs that take its bytes.")] = ""
    list_parts: Annotated[str, Meta(description="`true`: list what came by signed URLs.")] = ""
    part_number: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_PARTS)] | None, Meta(description="The part of the first URL.")
    ] = None
    parts: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_URLS)] | None, Meta(description="How many URLs, in a list.")
    ] = None
    digest: Annotated[str, Meta(description="The blob's: a storage that computes it refuses others.")] = ""
    size: Annotated[
        Annotated[int, Meta(ge=0, le=LARGEST_BLOB)] | None,
        Meta(description="The blob's, in bytes: it is kept in the quota, and others do not count."),
    ] = None


class SignedUpload(Struct, frozen=True):
    """Where all the bytes are sent, or those of one part, until when, and with which headers."""

    presigned_url: str
    expires_at: datetime
    headers: dict[str, str]


class SignedParts(Struct, frozen=True):
    """Where parts are sent."""

    parts: list[PresignedPart]


class UploadedPart(Struct, frozen=True):
    """A part that has come."""

    part_number: int
    size_bytes: int


class UploadedParts(Struct, frozen=True):
    """What has come by signed URLs."""

    parts: list[UploadedPart]


def wanted_of(request: web.Request) -> Wanted:
    """Return what the query asks for; raise BlobUploadInvalid or DigestInvalid."""
    try:
        query = msgspec.convert(dict(request.query), UploadQuery, strict=False)
    except msgspec.ValidationError as error:
        raise BlobUploadInvalid(str(error)) from None
    first, count = query.part_number or 1, query.parts or 1
    if first + count - 1 > MOST_PARTS:
        raise BlobUploadInvalid(f"part_number, parts: an upload has {MOST_PARTS} parts at most")
    return Wanted(
        is_whole=query.part_number is None and query.parts is None,
        is_all=first == 1 and (query.part_number is None or query.parts is not None),
        first=first,
        count=count,
        digest=Digest.parse(query.digest) if "digest" in request.query else None,
        size=query.size,
    )


def signed(request: web.Request, parts: list[PresignedPart]) -> web.Response:
    """Show one URL, or with `parts` a list of them; nobody in between may keep the answer."""
    parts = [replace(part, presigned_url=urljoin(base_url(request), part.presigned_url)) for part in parts]
    if "parts" in request.query:
        return _json(SignedParts(parts))
    (part,) = parts
    return _json(SignedUpload(part.presigned_url, part.expires_at, part.headers))


def listed(parts: list[DirectPart]) -> web.Response:
    """Show what has come."""
    return _json(UploadedParts([UploadedPart(part.number, part.size_bytes) for part in parts]))


def _json(document: Struct) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(document),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
