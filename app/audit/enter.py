"""Entering events into the audit log."""

import msgspec

from app.audit import store
from app.audit.model import AuditEntry
from app.jobs import pending
from app.resources import Resources


async def enter(r: Resources, job_id: str) -> bool:
    """Write the entry that is owed under this id; False when it was written before."""
    async with r.database.transaction() as tx:
        recorded = await pending.settle(tx, job_id)
        if recorded is None:
            return False
        detail = msgspec.json.encode(recorded.event).decode()
        await store.insert_entry(tx, AuditEntry.of(recorded), detail)
    return True
