"""Forgetting what is old and over."""

from typing import Final

from app.resources import Resources
from app.webhooks import delivery_store as store

_BATCH: Final = 1_000


async def purge(r: Resources) -> int:
    """Remove executions that are older than the setting says, with their deliveries, and return how many."""
    age = r.settings.webhooks.keep_log
    removed = 0
    while age and (batch := await store.delete_old(r.database, age=age, limit=_BATCH)):
        removed += batch
    return removed
