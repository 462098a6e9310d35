"""Small blobs: what fits into its session's row goes to storage once, when it is complete.

The process that took the bytes remembers them, so that it need not ask for them again. Whether they
are still all that the session has is decided by the statement that ends it.
"""

from uuid import UUID

from app.access import Call
from app.blobs import session_store as sessions
from app.blobs.lease import check_order, find_session
from app.blobs.model import Standing, UploadSession
from app.blobs.orphans import spare
from app.blobs.settle import settle
from app.oci.digest import Digest
from app.oci.errors import BlobUploadUnknown, DigestInvalid
from app.resources import Resources


async def append_small(
    r: Resources, call: Call, upload_id: UUID, *, body: bytes, start: int | None
) -> int | None:
    """Append to the row itself and return the new offset; None where that cannot be done."""
    offset = await sessions.extend_tail(
        r.database, call.repository, upload_id, body=body, start=start, expiry=r.settings.uploads.expiry
    )
    before = r.tails.get(str(upload_id))
    if offset is not None and before is not None and offset == len(before) + len(body):
        r.tails.put(str(upload_id), before + body)
    return offset


async def complete_small(
    r: Resources, call: Call, upload_id: UUID, *, digest: Digest, body: bytes, start: int | None
) -> UploadSession | None:
    """Complete an upload of which nothing is in storage yet; return its session where that cannot be done.

    Raises:
        BlobUploadUnknown, ChunkOutOfOrder, DigestInvalid, StorageFull
    """
    tail = r.tails.get(str(upload_id))
    if tail is not None and start in {None, len(tail)} and digest.matches(tail + body):
        standing = Standing(upload_id, len(tail), None)
        if await _store(r, call, standing, digest=digest, content=tail + body):
            return None
    session = await find_session(r, call, upload_id)
    if tail is not None and session.offset_bytes < len(tail):
        raise BlobUploadUnknown("the database crashed before its last bytes were on disk; start again")
    if session.stored_bytes or session.lease_token is not None or session.direct:
        return session
    check_order(session, start)
    is_done = await _store(r, call, session.standing, digest=digest, content=session.tail + body)
    return None if is_done else session


async def put_small(r: Resources, call: Call, digest: Digest, *, content: bytes) -> None:
    """Take a whole small blob without a session; raise DigestInvalid or StorageFull."""
    await _store(r, call, None, digest=digest, content=content)


async def _store(
    r: Resources, call: Call, standing: Standing | None, *, digest: Digest, content: bytes
) -> bool:
    if not digest.matches(content):
        raise DigestInvalid({"named": digest, "content": Digest.of(content, digest.algorithm)})
    await spare(r, digest)
    await r.storage.put(digest, content)
    return await settle(r, call, standing, digest=digest, size_bytes=len(content))
