"""Removing uploads that nobody finishes."""

from typing import Final

from app.blobs import session_store as sessions
from app.resources import Resources

_BATCH: Final = 100


async def expire_uploads(r: Resources) -> int:
    """Remove sessions that expired, and bytes without a session; return how many."""
    removed = 0
    while states := await sessions.delete_expired(r.database, _BATCH):
        for state in states:
            await r.storage.discard(state)
        removed += len(states)
    return removed + await _remove_orphans(r)


async def _remove_orphans(r: Resources) -> int:
    """Remove bytes that no session names: a process was killed between storage and database."""
    idle = await r.storage.list_uploads(r.settings.uploads.expiry)
    orphans = await sessions.list_unnamed(r.database, idle)
    for state in orphans:
        await r.storage.discard(state)
    return len(orphans)
