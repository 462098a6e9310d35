"""Statements on the audit log."""

import msgspec

from app.audit.model import AuditEntry
from app.db import SQL, Transaction

INSERT_ENTRIES = SQL("""
    INSERT INTO audit_logs (event_id, occurred_at, username, operation, resource_type, resource, project_name,
        repository_name, tag, address, user_agent, request_id, detail)
    SELECT (entry->>'event_id')::uuid, (entry->>'occurred_at')::timestamptz, entry->>'username',
        entry->>'operation', entry->>'resource_type', entry->>'resource', entry->>'project_name',
        entry->>'repository_name', entry->>'tag', entry->>'address', entry->>'user_agent',
        entry->>'request_id', detail::json
    FROM unnest(%(entries)s::json[], %(details)s::text[]) AS row (entry, detail)
    ON CONFLICT (event_id) DO NOTHING
""")


async def insert_entries(tx: Transaction, entries: list[AuditEntry], details: list[str]) -> None:
    """Add entries; an event is entered once."""
    await tx.run(
        INSERT_ENTRIES,
        entries=[msgspec.json.encode(entry).decode() for entry in entries],
        details=details,
    )
