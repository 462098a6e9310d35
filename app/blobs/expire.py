"""Removing uploads that nobody finishes."""

from typing import Final

from app.blobs import session_store as sessions
from app.resources import Resources
from app.storage import StorageBusy, StorageError, UploadState

_BATCH: Final = 100


async def expire_uploads(r: Resources) -> int:
    """Remove sessions that expired, and bytes without a session; return how many.

    Raises:
        StorageError: some of it could not be removed, and holds up nothing else.
    """
    removed, failed = 0, list[StorageError]()
    while states := await sessions.delete_expired(r.database, _BATCH):
        failed += await _discard(r, states)
        removed += len(states)
    # What no session names: its removal failed, or a process was killed between storage and database.
    orphans = await sessions.list_unnamed(r.database, await r.storage.list_uploads(r.settings.uploads.expiry))
    failed += await _discard(r, orphans)
    if failed:
        raise StorageError(f"{len(failed)} uploads could not be removed: {failed[0]}")
    return removed + len(orphans)


async def _discard(r: Resources, states: list[UploadState]) -> list[StorageError]:
    """Remove the bytes of uploads, and return why some were not; raise StorageBusy."""
    failed = []
    for state in states:
        try:
            await r.storage.discard(state)
        except StorageBusy:
            raise
        except StorageError as error:
            failed.append(error)
    return failed
