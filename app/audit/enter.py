"""Entering events into the audit log."""

import msgspec

from app.audit import store
from app.audit.model import AuditEntry
from app.jobs import pending
from app.resources import Resources


async def enter(r: Resources, ids: list[str]) -> int:
    """Write the entries that are owed under these ids and return how many were not there before."""
    async with r.database.transaction() as tx:
        recorded = await pending.settle(tx, ids)
        entries = [AuditEntry.of(event) for event in recorded]
        details = [msgspec.json.encode(event.event).decode() for event in recorded]
        if entries:
            await store.insert_entries(tx, entries, details)
    return len(entries)
