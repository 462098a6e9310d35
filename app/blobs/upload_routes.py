"""Pushing blobs (spec.md, end-4a, 4b, 4c, 5, 6, 11, 13, 14)."""

import re
from typing import Final
from uuid import UUID

from aiohttp import web

from app.access import AUTHORITY, Permission, Route, actor_of, cause_of, repository_of
from app.blobs import uploads
from app.blobs.model import whereabouts
from app.blobs.mount import mount
from app.blobs.uploads import Chunk, Push
from app.http import pieces_of
from app.oci.digest import ALGORITHMS, Algorithm, Digest
from app.oci.errors import (
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    NameInvalid,
    SizeInvalid,
)
from app.oci.names import RepositoryName
from app.resources import resources

_CONTENT_RANGE: Final = re.compile(r"(?:bytes )?(\d{1,19})-(\d{1,19})(?:/(?:\d{1,19}|\*))?")


async def start(request: web.Request) -> web.Response:
    """Open an upload session; or mount a blob, or take a whole one, where the query says so."""
    r, push = resources(request), _push(request)
    query = request.query
    if "mount" in query:
        digest = Digest.parse(query["mount"])
        source = _source(query.get("from"))
        if await mount(r, push, digest, source, authority=request.app[AUTHORITY]):
            return _created(push, digest)
    elif "digest" in query:
        digest = Digest.parse(query["digest"])
        await uploads.put_whole(r, push, digest, _chunk(request))
        return _created(push, digest)
    upload_id = await uploads.start(r, push, _algorithm(query.get("digest-algorithm", "sha256")))
    headers = _progress(push, upload_id, 0)
    if r.settings.uploads.chunk_min_length:
        headers["OCI-Chunk-Min-Length"] = str(r.settings.uploads.chunk_min_length)
    return web.Response(status=202, headers=headers)


async def append(request: web.Request) -> web.Response:
    """Append the body to the upload."""
    push, upload_id = _push(request), _upload_id(request)
    offset = await uploads.append(resources(request), push, upload_id, _chunk(request))
    return web.Response(status=202, headers=_progress(push, upload_id, offset))


async def complete(request: web.Request) -> web.Response:
    """Append the body, verify the digest, end the upload."""
    push, upload_id = _push(request), _upload_id(request)
    digest = Digest.parse(_required(request, "digest"))
    await uploads.complete(resources(request), push, upload_id, digest, _chunk(request))
    return _created(push, digest)


async def status(request: web.Request) -> web.Response:
    """Say how far the upload got."""
    push, upload_id = _push(request), _upload_id(request)
    offset = await uploads.offset_of(resources(request), push, upload_id)
    return web.Response(status=204, headers=_progress(push, upload_id, offset))


async def cancel(request: web.Request) -> web.Response:
    """Drop the upload."""
    await uploads.cancel(resources(request), repository_of(request), _upload_id(request))
    return web.Response(status=204)


def _push(request: web.Request) -> Push:
    return Push(repository=repository_of(request), actor=actor_of(request), cause=cause_of(request))


def _chunk(request: web.Request) -> Chunk:
    """Describe the body; raise SizeInvalid where Content-Range and Content-Length disagree."""
    idle = resources(request).settings.uploads.idle_timeout
    length = request.content_length if request.body_exists else 0
    header = request.headers.get("Content-Range")
    start = None
    if header is not None:
        match = _CONTENT_RANGE.fullmatch(header.strip())
        if match is None:
            raise BlobUploadInvalid(f"Content-Range {header[:80]!r} is not <start>-<end>")
        start, end = int(match[1]), int(match[2])
        if length is not None and end - start + 1 != length:
            raise SizeInvalid(f"Content-Range {header[:80]!r} does not fit Content-Length {length}")
    return Chunk(pieces=pieces_of(request, idle), length=length, start=start)


def _upload_id(request: web.Request) -> UUID:
    try:
        return UUID(request.match_info["upload_id"])
    except ValueError:
        raise BlobUploadUnknown(request.match_info["upload_id"][:80]) from None


def _required(request: web.Request, name: str) -> str:
    value = request.query.get(name)
    if value is None:
        raise DigestInvalid(f"the query lacks `{name}`")
    return value


def _algorithm(name: str) -> Algorithm:
    if name not in ALGORITHMS:
        raise DigestInvalid(f"digest-algorithm {name[:40]!r} is not one of {', '.join(ALGORITHMS)}")
    return "sha512" if name == "sha512" else "sha256"


def _source(name: str | None) -> RepositoryName | None:
    """Return the repository to mount from; a malformed name is one that has nothing."""
    try:
        return RepositoryName.parse(name) if name else None
    except NameInvalid:
        return RepositoryName("")


def _progress(push: Push, upload_id: UUID, offset: int) -> dict[str, str]:
    return {**whereabouts(push.repository, upload_id, offset), "Docker-Upload-UUID": str(upload_id)}


def _created(push: Push, digest: Digest) -> web.Response:
    headers = {"Location": f"/v2/{push.repository}/blobs/{digest}", "Docker-Content-Digest": digest}
    return web.Response(status=201, headers=headers)


_UPLOADS: Final = "/v2/{name:.+}/blobs/uploads/"
_UPLOAD: Final = _UPLOADS + "{upload_id:[^/]+}"

ROUTES: Final = (
    Route("POST", _UPLOADS, start, Permission.PUSH),
    Route("POST", _UPLOADS.rstrip("/"), start, Permission.PUSH),
    Route("GET", _UPLOAD, status, Permission.PUSH),
    Route("PATCH", _UPLOAD, append, Permission.PUSH),
    Route("PUT", _UPLOAD, complete, Permission.PUSH),
    Route("DELETE", _UPLOAD, cancel, Permission.PUSH),
)
