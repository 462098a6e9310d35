"""The one writer of an upload session: becoming it, staying it, and finding that somebody else is."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog

from app.access import Call
from app.blobs import session_store as sessions
from app.blobs.model import UploadSession, whereabouts
from app.db import DatabaseError
from app.oci.errors import BlobUploadBusy, BlobUploadUnknown, ChunkOutOfOrder, OciError
from app.resources import Resources
from app.storage import StorageError

log = structlog.get_logger()

_Result = TypeVar("_Result")


async def find_session(r: Resources, call: Call, upload_id: UUID) -> UploadSession:
    """Return the session; raise BlobUploadUnknown."""
    session = await sessions.find_session(r.database, call.repository, upload_id)
    if session is None:
        raise BlobUploadUnknown(str(upload_id))
    return session


async def lease(r: Resources, call: Call, upload_id: UUID, *, start: int | None) -> UploadSession:
    """Become the one writer; raise BlobUploadUnknown, BlobUploadBusy or ChunkOutOfOrder."""
    session = await sessions.lease_session(
        r.database, call.repository, upload_id, lease=r.settings.uploads.lease
    )
    if session is None:
        await find_session(r, call, upload_id)
        raise busy()
    try:
        check_order(session, start)
    except ChunkOutOfOrder:
        await release(r, session)
        raise
    return session


async def release(r: Resources, session: UploadSession) -> None:
    """Let go of a session after an error, and leave it as it stood; where that fails, its lease just ends."""
    with clearing_up():
        await sessions.release_session(r.database, session)


@contextmanager
def clearing_up() -> Iterator[None]:
    """Log an error of what is done after another error, and do not raise it: the first one counts."""
    try:
        yield
    except (DatabaseError, OciError, StorageError) as error:
        log.warning("clearing_up_failed", error=str(error), kind=type(error).__name__)


class SignOfLife:
    """Renews the lease when a third of it has passed."""

    def __init__(self, r: Resources, session: UploadSession) -> None:
        self._r = r
        self._session = session
        self._due = time.monotonic() + self._third

    @property
    def _third(self) -> float:
        return self._r.settings.uploads.lease.total_seconds() / 3

    async def __call__(self) -> None:
        """Raise BlobUploadBusy when somebody else took the session over."""
        token = self._session.lease_token
        if token is None or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self._third
        if not await sessions.renew_lease(
            self._r.database, self._session.id, token, lease=self._r.settings.uploads.lease
        ):
            raise busy()

    async def during(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Wait for what takes its time and shows no sign itself, such as copying inside a storage."""
        return await showing_life(work, self, every=timedelta(seconds=self._third))


async def showing_life(
    work: Coroutine[Any, Any, _Result], show: Callable[[], Awaitable[None]], *, every: timedelta
) -> _Result:
    """Wait for what takes its time, and show again and again that it goes on; end it when that fails."""
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait([task], timeout=every.total_seconds()))[0]:
            await show()
        return task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])


def check_order(session: UploadSession, start: int | None) -> None:
    """Raise ChunkOutOfOrder unless a chunk that starts there is the next one."""
    if start is not None and start != session.offset_bytes:
        raise ChunkOutOfOrder(
            {"offset": session.offset_bytes, "start": start},
            headers=whereabouts(session.repository_name, session.id, session.offset_bytes),
        )


@contextmanager
def lost_bytes() -> Iterator[None]:
    """Raise BlobUploadUnknown where an upload's bytes are not in storage any more."""
    try:
        yield
    except FileNotFoundError:
        raise BlobUploadUnknown("its bytes are gone; start again") from None


def busy() -> BlobUploadBusy:
    """Return the error for who is not the one writer."""
    return BlobUploadBusy(headers={"Retry-After": "1"})
