"""Forgetting what is old."""

from typing import Final

from app.audit import store
from app.resources import Resources

_BATCH: Final = 5_000


async def purge(r: Resources) -> int:
    """Remove entries that are older than the setting says, a batch at a time, and return how many."""
    age = r.settings.audit.retention
    removed = 0
    while age and (batch := await store.delete_old(r.database, age=age, limit=_BATCH)):
        removed += batch
    return removed
