"""Bytes on their way from a request body into storage, hashed as they pass, in flat memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Final

from app.blobs import session_store as sessions
from app.blobs.lease import SignOfLife, busy, lost_bytes
from app.blobs.model import UploadSession
from app.http import BodyCut
from app.oci.digest import Algorithm, Digest
from app.oci.errors import BlobUploadInvalid
from app.resources import Resources
from app.storage import RunningDigest, StorageError, UploadState, UploadWriter

BATCH_BYTES: Final = 512 << 10
"""Bytes gathered before a thread writes and hashes them."""

_IN_LOOP_BYTES: Final = 16 << 10
"""Hashing less than this is cheaper here than the way to a thread and back."""


class Receiver:
    """Takes up an upload where its session stands and appends to it."""

    def __init__(
        self, session: UploadSession, writer: UploadWriter, running: RunningDigest, *, state: UploadState
    ) -> None:
        self.state = state
        self.offset = session.stored_bytes
        self._writer = writer
        self._running = running

    async def take(self, pieces: AsyncIterator[bytes], sign_of_life: Callable[[], Awaitable[None]]) -> None:
        """Append all pieces; after BodyCut, what came before it is there and counted in `offset`."""
        batch: list[bytes] = []
        size = 0
        try:
            async for piece in pieces:
                batch.append(piece)
                size += len(piece)
                if size >= BATCH_BYTES:
                    await self.append(b"".join(batch))
                    batch.clear()
                    size = 0
                await sign_of_life()
        except BodyCut:
            await self.append(b"".join(batch))
            raise
        await self.append(b"".join(batch))

    async def append(self, piece: bytes) -> None:
        """Write and hash one piece."""
        if len(piece) <= _IN_LOOP_BYTES:
            await self._writer.write(piece)
            self._running.update(piece)
        else:
            await asyncio.gather(self._writer.write(piece), asyncio.to_thread(self._running.update, piece))
        self.offset += len(piece)

    async def finish(self, blob: Digest | None = None) -> bytes | None:
        """Make everything durable and return the state of the hash; `blob`: the digest of it all."""
        self.state = await self._writer.finish(blob)
        return self._running.state()

    def digest(self) -> Digest:
        """Return the digest of all bytes of the upload."""
        return self._running.digest()

    async def drop(self) -> None:
        """Remove what was appended, when the session will not name it."""
        await self._writer.drop()

    def close(self) -> None:
        """Let go of what is open."""
        self._writer.close()


async def open_receiver(r: Resources, session: UploadSession, *, blob: Digest | None = None) -> Receiver:
    """Open a leased session for writing, its tail written first; `blob`: what it is said to become.

    What there is may have to be copied or read for that. Raises BlobUploadInvalid, BlobUploadUnknown, or
    BlobUploadBusy where somebody else took the session over.
    """
    if session.direct:
        raise BlobUploadInvalid("the bytes of this upload go to the storage, by signed URLs")
    with lost_bytes():
        receiver = await SignOfLife(r, session).during(_open(r, session, blob=blob))
    if receiver.state != session.storage_state:
        try:
            await _move(r, session, receiver)
        except BaseException:
            receiver.close()
            raise
    return receiver


async def _move(r: Resources, session: UploadSession, receiver: Receiver) -> None:
    """Have the session name the copy; what is named by nobody then is removed, now or by `list_uploads`."""
    is_moved = await sessions.move_session(r.database, session, receiver.state)
    if not is_moved:
        await receiver.drop()
    with suppress(StorageError):
        await r.storage.discard(session.storage_state if is_moved else receiver.state)
    if not is_moved:
        raise busy()


async def _open(r: Resources, session: UploadSession, *, blob: Digest | None) -> Receiver:
    running = await _running_digest(r, session)
    state, writer = await r.storage.append(
        session.storage_state, session.stored_bytes, is_contested=session.is_contested, blob=blob
    )
    receiver = Receiver(session, writer, running, state=state)
    if session.tail:
        try:
            await receiver.append(session.tail)
        except BaseException:
            await receiver.drop()
            receiver.close()
            raise
    return receiver


async def _running_digest(r: Resources, session: UploadSession) -> RunningDigest:
    if session.stored_bytes == 0:
        return RunningDigest(session.algorithm)
    if session.hash_state is not None and RunningDigest.can_resume():
        return RunningDigest(session.algorithm, session.hash_state)
    return await hash_stored(r, session.storage_state, session.stored_bytes, algorithm=session.algorithm)


async def hash_stored(
    r: Resources,
    state: UploadState,
    length: int,
    *,
    algorithm: Algorithm,
    sign_of_life: Callable[[], Awaitable[None]] | None = None,
) -> RunningDigest:
    """Read the first bytes of an upload; raise FileNotFoundError."""
    running = RunningDigest(algorithm)
    async with aclosing(r.storage.read_upload(state, length)) as pieces:
        async for piece in pieces:
            await asyncio.to_thread(running.update, piece)
            if sign_of_life is not None:
                await sign_of_life()
    return running
