"""Pushing a blob (spec.md, "Pushing blobs"): start, append, complete, cancel."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from msgspec import Struct

from app.access import Call
from app.blobs import session_store as sessions
from app.blobs.lease import SignOfLife, busy, clearing_up, find_session, lease, lost_bytes, release
from app.blobs.model import INLINE_BYTES, Progress, UploadSession
from app.blobs.orphans import spare
from app.blobs.receive import Receiver, hash_stored, open_receiver
from app.blobs.settle import settle
from app.blobs.small import append_small, complete_small, put_small
from app.blobs.verify import close_direct
from app.http import BodyCut
from app.oci.digest import Algorithm, Digest
from app.oci.errors import BlobUploadUnknown, DigestInvalid
from app.oci.names import RepositoryName
from app.quotas.model import Incoming
from app.quotas.usage import require_room
from app.resources import Resources
from app.storage import RunningDigest


class Chunk(Struct, frozen=True):
    """A request body on its way in: where it says it starts, how long it says it is, and its bytes."""

    pieces: AsyncIterator[bytes]
    length: int | None
    start: int | None = None

    @property
    def is_small(self) -> bool:
        """Whether it announced to fit into a session's row."""
        return self.length is not None and self.length <= INLINE_BYTES

    async def read(self) -> bytes:
        """Return all of a small chunk."""
        return b"".join([piece async for piece in self.pieces])


async def start(r: Resources, call: Call, algorithm: Algorithm) -> UUID:
    """Open an upload session and return its id."""
    upload_id = await sessions.insert_session(
        r.database,
        call.repository,
        owner=call.actor.username,
        algorithm=algorithm,
        storage_state=r.storage.new_upload(),
        expiry=r.settings.uploads.expiry,
    )
    r.tails.put(str(upload_id), b"")
    return upload_id


async def append(r: Resources, call: Call, upload_id: UUID, *, chunk: Chunk) -> int:
    """Append a chunk and return the upload's new offset.

    When the body is cut off, what came is kept, and the client can go on from there.

    Raises:
        BlobUploadUnknown, BlobUploadBusy, ChunkOutOfOrder, BodyCut, StorageFull
        StorageExceeded: it cannot fit into the project's quota; a small chunk is not worth the question.
    """
    if chunk.is_small:
        body = await chunk.read()
        offset = await append_small(r, call, upload_id, body=body, start=chunk.start)
        if offset is not None:
            return offset
        chunk = Chunk(_once(body), len(body), chunk.start)
    elif chunk.length is not None:
        await require_room(r, call, Incoming((chunk.start or 0) + chunk.length))
    session = await lease(r, call, upload_id, start=chunk.start)
    try:
        receiver = await open_receiver(r, session)
    except BaseException:
        await release(r, session)
        raise
    try:
        with lost_bytes():
            await receiver.take(chunk.pieces, SignOfLife(r, session))
    except BodyCut:
        await _advance(r, session, receiver)
        raise
    except BaseException:
        await _give_up(r, session, receiver)
        raise
    else:
        await _advance(r, session, receiver)
    finally:
        receiver.close()
    return receiver.offset


async def complete(r: Resources, call: Call, upload_id: UUID, *, digest: Digest, last: Chunk) -> bool:
    """Append the last chunk, verify the digest, and make the blob durable, then visible.

    After a wrong digest the session stands where it stood before this call. False: its bytes were sent to the
    storage, and are still being read.

    Raises:
        BlobUploadUnknown, BlobUploadBusy, ChunkOutOfOrder, DigestInvalid, BodyCut, StorageFull
        StorageExceeded: it cannot fit into the project's quota; a small blob is not worth the question.
    """
    if last.is_small:
        body = await last.read()
        rest = await complete_small(r, call, upload_id, digest=digest, body=body, start=last.start)
        if rest is None:
            return True
        if rest.direct and not body:
            return await close_direct(r, call, rest, digest=digest)
        last = Chunk(_once(body), len(body), last.start)
    session = await lease(r, call, upload_id, start=last.start)
    try:
        await require_room(r, call, Incoming(session.offset_bytes + (last.length or 0), digest))
        size = await _place(r, session, digest=digest, last=last)
        if not await settle(r, call, session.standing, digest=digest, size_bytes=size):
            raise busy()
    except BaseException:
        await release(r, session)
        raise
    return True


async def put_whole(r: Resources, call: Call, digest: Digest, *, chunk: Chunk) -> None:
    """Take a whole blob in one request (spec.md, end-4b)."""
    if chunk.is_small:
        await put_small(r, call, digest, content=await chunk.read())
        return
    upload_id = await start(r, call, digest.algorithm)
    try:
        await complete(r, call, upload_id, digest=digest, last=chunk)
    except BaseException:
        # The client never learned of the session; what cannot be removed now is when it expires.
        with clearing_up():
            await asyncio.shield(cancel(r, call.repository, upload_id))
        raise


async def status_of(r: Resources, call: Call, upload_id: UUID) -> UploadSession:
    """Return how an upload stands (spec.md, end-13)."""
    return await find_session(r, call, upload_id)


async def cancel(r: Resources, repository: RepositoryName, upload_id: UUID) -> None:
    """End an upload and drop its bytes (spec.md, end-14); raise BlobUploadUnknown."""
    state = await sessions.delete_session(r.database, repository, upload_id)
    if state is None:
        raise BlobUploadUnknown(str(upload_id))
    await r.storage.discard(state)


async def _place(r: Resources, session: UploadSession, *, digest: Digest, last: Chunk) -> int:
    """Append the last chunk, verify, make the blob durable under its digest; return its size in bytes."""
    # What has to be read again to be verified has to lie where it can be read until then.
    is_known = digest.algorithm == session.algorithm
    try:
        receiver = await open_receiver(r, session, blob=digest if is_known else None)
    except BlobUploadUnknown:
        # A completion that was cut short between storage and database left the blob in its place.
        if last.length == 0 and await _is_placed(r, session, digest):
            return session.offset_bytes
        raise
    try:
        with lost_bytes():
            await receiver.take(last.pieces, SignOfLife(r, session))
            await spare(r, digest)
            if is_known:
                _compare(digest, receiver.digest())
                await receiver.finish(digest)
            else:
                await receiver.finish()
                again = await hash_stored(
                    r,
                    receiver.state,
                    receiver.offset,
                    algorithm=digest.algorithm,
                    sign_of_life=SignOfLife(r, session),
                )
                _compare(digest, again.digest())
            commit = r.storage.commit(receiver.state, digest, receiver.offset)
            await SignOfLife(r, session).during(commit)
    except BaseException:
        await receiver.drop()
        raise
    finally:
        receiver.close()
    return receiver.offset


async def _is_placed(r: Resources, session: UploadSession, digest: Digest) -> bool:
    """Whether the session's own bytes are the blob that lies there."""
    if session.hash_state is None or session.tail or not RunningDigest.can_resume():
        return False
    await spare(r, digest)
    found = RunningDigest(session.algorithm, session.hash_state).digest()
    return found == digest and await r.storage.stat(digest) == session.offset_bytes


async def _advance(r: Resources, session: UploadSession, receiver: Receiver) -> None:
    """Note how far the upload got, also when it was cut; without new bytes just end the lease."""
    try:
        with lost_bytes():
            hash_state = await receiver.finish()
    except BaseException:
        await _give_up(r, session, receiver)
        raise
    if not await sessions.advance_session(
        r.database,
        session,
        Progress(receiver.offset, hash_state, receiver.state),
        expiry=r.settings.uploads.expiry,
    ):
        await receiver.drop()
        raise busy()


async def _give_up(r: Resources, session: UploadSession, receiver: Receiver) -> None:
    """Leave the session as it stood, for whoever comes next."""
    await receiver.drop()
    await release(r, session)


def _compare(named: Digest, found: Digest) -> None:
    if found != named:
        raise DigestInvalid({"named": named, "content": found})


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
