"""Pushing blobs (spec.md, end-4a, 4b, 4c, 5, 6, 11, 13, 14)."""

import re
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from aiohttp import web

from app.access import Call, Permission
from app.access.routing import AUTHORITY, Route, call_of, repository_of, require_writable
from app.blobs import direct, uploads
from app.blobs.lease import lost_bytes
from app.blobs.model import whereabouts
from app.blobs.mount import mount
from app.blobs.presigning import (
    SignedParts,
    SignedUpload,
    UploadedParts,
    UploadQuery,
    listed,
    signed,
    wanted_of,
)
from app.blobs.uploads import Chunk
from app.http import pieces_of
from app.http.endpoint import Operation
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
from app.storage import PARTS_PATH, AskedPart, FileDirectUploads

_CONTENT_RANGE: Final = re.compile(r"(?:bytes )?([0-9]{1,18})-([0-9]{1,18})(?:/(?:[0-9]{1,18}|\*))?")

_YES: Final = frozenset({"true", "1"})
_NO: Final = frozenset({"false", "0", ""})


async def start(request: web.Request) -> web.Response:
    """Open an upload session; or mount a blob, or take a whole one, where the query says so."""
    r, call, query = resources(request), call_of(request), request.query
    if "mount" in query:
        digest, source = Digest.parse(query["mount"]), _source(query.get("from"))
        if await mount(r, call, digest, source=source, authority=request.app[AUTHORITY]):
            return _created(call, digest)
    elif "digest" in query:
        digest = Digest.parse(query["digest"])
        await uploads.put_whole(r, call, digest, chunk=_chunk(request))
        return _created(call, digest)
    upload_id = await uploads.start(r, call, _algorithm(query.get("digest-algorithm", "sha256")))
    least = r.settings.uploads.chunk_min_length
    hint = {"OCI-Chunk-Min-Length": str(least)} if least else {}
    return web.Response(status=202, headers=_progress(call, upload_id, 0) | hint)


async def append(request: web.Request) -> web.Response:
    """Append the body to the upload."""
    call, upload_id = call_of(request), _upload_id(request)
    offset = await uploads.append(resources(request), call, upload_id, chunk=_chunk(request))
    return web.Response(status=202, headers=_progress(call, upload_id, offset))


async def complete(request: web.Request) -> web.Response:
    """Append the body, verify the digest, end the upload."""
    call, upload_id = call_of(request), _upload_id(request)
    digest = Digest.parse(_required(request, "digest"))
    if await uploads.complete(resources(request), call, upload_id, digest=digest, last=_chunk(request)):
        return _created(call, digest)
    return _come_again(call, upload_id)


async def get_upload(request: web.Request) -> web.Response:
    """Say how far the upload got; or sign URLs for it, or list its parts, where the query says so."""
    r, upload_id = resources(request), _upload_id(request)
    if _says(request, "presigned"):
        await require_writable(request)
        wanted = wanted_of(request)
        return signed(request, await direct.presign(r, call_of(request), upload_id, wanted=wanted))
    call = call_of(request)
    if _says(request, "list_parts"):
        return listed(await direct.list_parts(r, call, upload_id))
    session = await uploads.status_of(r, call, upload_id)
    if session.direct == "hashing":
        return _come_again(call, upload_id)
    return web.Response(status=204, headers=_progress(call, upload_id, session.offset_bytes))


async def put_part(request: web.Request) -> web.Response:
    """Take a part of an upload by a URL that we signed, where the storage is our own files."""
    r, direct = resources(request), resources(request).storage.direct
    if not isinstance(direct, FileDirectUploads):
        raise BlobUploadUnknown("the storage itself takes parts")
    asked = AskedPart(request.match_info["upload"], request.match_info["part"], request.query)
    with lost_bytes():
        await direct.receive(asked, pieces_of(request, r.settings.uploads.idle_timeout))
    return web.Response()


async def cancel(request: web.Request) -> web.Response:
    """Drop the upload."""
    await uploads.cancel(resources(request), repository_of(request), _upload_id(request))
    return web.Response(status=204)


def _chunk(request: web.Request) -> Chunk:
    """Describe the body; raise SizeInvalid where Content-Range and Content-Length disagree."""
    pieces = pieces_of(request, resources(request).settings.uploads.idle_timeout)
    length = request.content_length if request.body_exists else 0
    header = request.headers.get("Content-Range")
    if header is None:
        return Chunk(pieces=pieces, length=length)
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None:
        raise BlobUploadInvalid(f"Content-Range {header[:80]!r} is not <start>-<end>")
    start, announced = int(match[1]), int(match[2]) - int(match[1]) + 1
    if length not in {None, announced}:
        raise SizeInvalid(f"Content-Range {header[:80]!r} does not fit Content-Length {length}")
    return Chunk(pieces=_exactly(announced, pieces), length=length, start=start)


async def _exactly(length: int, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pass the pieces on; raise SizeInvalid unless they are as long as announced."""
    missing = length
    async for piece in pieces:
        missing -= len(piece)
        if missing < 0:
            break
        yield piece
    if missing:
        raise SizeInvalid(f"Content-Range announced {length} bytes")


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


def _says(request: web.Request, name: str) -> bool:
    """Whether the query says so, as clients in whichever language write it; raise BlobUploadInvalid."""
    said = request.query.get(name, "").lower()
    if said not in _YES | _NO:
        raise BlobUploadInvalid(f"{name} is `true` or `false`")
    return said in _YES


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


def _progress(call: Call, upload_id: UUID, offset: int) -> dict[str, str]:
    where, name = whereabouts(call.repository, upload_id, offset), str(upload_id)
    # Clients of signed URLs know it by the second name.
    return {**where, "Docker-Upload-UUID": name, "Upload-UUID": name}


def _come_again(call: Call, upload_id: UUID) -> web.Response:
    """Answer who wants to know what somebody else still has to find out."""
    headers = _progress(call, upload_id, 0) | {"Retry-After": "2"}
    del headers["Range"]
    return web.Response(status=202, headers=headers)


def _created(call: Call, digest: Digest) -> web.Response:
    headers = {"Location": f"/v2/{call.repository}/blobs/{digest}", "Docker-Content-Digest": digest}
    return web.Response(status=201, headers=headers)


_UPLOADS: Final = "/v2/{name:.+}/blobs/uploads/"
_UPLOAD: Final = _UPLOADS + "{upload_id:[^/]+}"

_GET_UPLOAD: Final = Operation(
    get_upload,
    path={"upload_id": UUID},
    query=UploadQuery,
    answer=SignedUpload | SignedParts | UploadedParts,
    empty=(202, 204),
)

ROUTES: Final = (
    Route("POST", _UPLOADS, start, Permission.PUSH),
    Route("POST", _UPLOADS.rstrip("/"), start, Permission.PUSH),
    Route("GET", _UPLOAD, get_upload, Permission.PUSH, shown=_GET_UPLOAD, tag="upload", errors=(404, 410)),
    Route("PATCH", _UPLOAD, append, Permission.PUSH),
    Route("PUT", _UPLOAD, complete, Permission.PUSH),
    Route("DELETE", _UPLOAD, cancel, Permission.PUSH),
    Route("PUT", PARTS_PATH + "/{upload:[0-9a-f]+}/{part:[0-9]+}", put_part, Permission.ANYONE),
)
