"""Removing uploads that nobody finishes."""

from typing import Final

from app.blobs import session_store as sessions
from app.resources import Resources

_BATCH: Final = 100


async def expire_uploads(r: Resources) -> int:
    """Remove expired sessions and their bytes; return how many sessions."""
    removed = 0
    while states := await sessions.delete_expired(r.database, _BATCH):
        for state in states:
            await r.storage.discard(state)
        removed += len(states)
    return removed
