"""Closing uploads by signed URLs: what came is put together, read, compared, and only then made visible.

Once it is put together no URL can change it. Nobody is believed: neither who says what it is, nor a storage
that has not shown that it computes digests. What was found is noted in the session, so that every step can
be done again by whoever comes next.
"""

import structlog
from msgspec.structs import replace

from app.access import Call
from app.blobs import direct_store as store
from app.blobs import session_store as sessions
from app.blobs.lease import SignOfLife, busy, lease, lost_bytes, release
from app.blobs.model import UploadSession
from app.blobs.orphans import spare
from app.blobs.receive import hash_stored
from app.blobs.settle import settle
from app.events import BlobReceived, outbox
from app.jobs import pending
from app.oci.digest import Algorithm, Digest
from app.oci.errors import BlobUploadBusy, BlobUploadInvalid, BlobUploadUnknown, DigestInvalid
from app.quotas.model import Incoming
from app.quotas.usage import require_room
from app.resources import Resources
from app.storage import StorageError

log = structlog.get_logger()


async def close_direct(r: Resources, call: Call, session: UploadSession, *, digest: Digest) -> bool:
    """Make what a client sent to the storage a blob; False: a worker has to read it first, so come again.

    Bytes with another digest end the session, and are removed.

    Raises:
        BlobUploadUnknown, BlobUploadBusy, BlobUploadInvalid, DigestInvalid
        StorageExceeded: it cannot fit into the project's quota.
    """
    if session.direct == "hashing":
        if session.algorithm != digest.algorithm:
            raise BlobUploadInvalid(f"its {session.algorithm} digest is being computed; name that one")
        return False
    session = await lease(r, call, session.id, start=None)
    try:
        with lost_bytes():
            known = await _known(r, call, session, digest=digest)
            if known is None:
                return False
            await _commit(r, known, digest)
        if not await settle(r, call, known.standing, digest=digest, size_bytes=known.offset_bytes):
            raise busy()
    except BaseException:
        await release(r, session)
        raise
    return True


async def hash_received(r: Resources, ids: list[str]) -> int:
    """Read the uploads that are owed under these ids; return how many are done. The others stay owed."""
    done = 0
    for job_id in ids:
        async with r.database.autocommit() as statements:
            owed = [event.event for event in await pending.list_owed(statements, [job_id])]
        try:
            are_done = [await _hash(r, event) for event in owed if isinstance(event, BlobReceived)]
        except StorageError as error:
            log.warning("upload_not_read", error=str(error), job_id=job_id)
            continue
        if all(are_done):
            async with r.database.transaction() as tx:
                await pending.settle(tx, [job_id])
            done += len(are_done)
    return done


async def _known(r: Resources, call: Call, session: UploadSession, *, digest: Digest) -> UploadSession | None:
    """Return the session with the digest that its bytes have; None where a worker has to find it."""
    if session.direct == "open":
        session = await _freeze(r, session)
    await require_room(r, call, Incoming(session.offset_bytes, digest, session.id))
    if session.found_digest is not None and session.found_digest.algorithm == digest.algorithm:
        return session
    if session.offset_bytes > r.settings.uploads.hash_inline_bytes:
        await _hand_over(r, call, session, algorithm=digest.algorithm)
        return None
    return await _look(r, session, digest.algorithm)


async def _freeze(r: Resources, session: UploadSession) -> UploadSession:
    """Put together what came, and note it."""
    direct = r.storage.direct
    if direct is None:
        raise BlobUploadUnknown("the storage that it was begun on is not this one; start again")
    frozen = await SignOfLife(r, session).during(direct.freeze(session.storage_state))
    session = replace(
        session,
        direct="frozen",
        storage_state=frozen.state,
        offset_bytes=frozen.size_bytes,
        found_digest=frozen.digest,
    )
    if not await store.update_frozen(r.database, session):
        raise busy()
    return session


async def _look(r: Resources, session: UploadSession, algorithm: Algorithm) -> UploadSession:
    """Read all the bytes, and note what they are."""
    running = await hash_stored(
        r,
        session.storage_state,
        session.offset_bytes,
        algorithm=algorithm,
        sign_of_life=SignOfLife(r, session),
    )
    found = running.digest()
    if not await store.update_found_digest(r.database, session, found):
        raise busy()
    return replace(session, direct="frozen", found_digest=found)


async def _hand_over(r: Resources, call: Call, session: UploadSession, *, algorithm: Algorithm) -> None:
    """Leave the reading to a worker."""
    async with r.database.transaction() as tx:
        expiry = r.settings.uploads.expiry
        if not await store.update_hashing(tx, session, algorithm, expiry=expiry):
            raise busy()
        received = BlobReceived(repository_name=call.repository, upload_id=session.id)
        await outbox.record(tx, call.cause, received)


async def _commit(r: Resources, session: UploadSession, digest: Digest) -> None:
    """Make the blob durable; raise DigestInvalid, and drop the bytes, where they are something else."""
    if session.found_digest != digest:
        await _drop(r, session)
        raise DigestInvalid({"named": digest, "content": session.found_digest})
    await spare(r, digest)
    try:
        commit = r.storage.commit(session.storage_state, digest, session.offset_bytes)
        await SignOfLife(r, session).during(commit)
    except FileNotFoundError:
        # We have seen that they have this digest: a close that was cut short left the blob in its place.
        if await r.storage.stat(digest) != session.offset_bytes:
            raise


async def _hash(r: Resources, event: BlobReceived) -> bool:
    """Read what a client sent; False where somebody else is at it."""
    repository, upload_id = event.repository_name, event.upload_id
    session = await sessions.lease_session(r.database, repository, upload_id, lease=r.settings.uploads.lease)
    if session is None:
        return await sessions.find_session(r.database, repository, upload_id) is None
    try:
        if session.direct == "hashing":
            await _look(r, session, session.algorithm)
    except BlobUploadBusy:
        return False
    except FileNotFoundError:
        await _drop(r, session)
    finally:
        await sessions.release_session(r.database, session)
    return True


async def _drop(r: Resources, session: UploadSession) -> None:
    state = await sessions.delete_session(r.database, session.repository_name, session.id)
    if state is not None:
        await r.storage.discard(state)
