"""Statements on the audit log."""

from app.audit.model import AuditEntry
from app.db import SQL, Transaction

INSERT_ENTRY = SQL("""
    INSERT INTO audit_logs (event_id, occurred_at, username, operation, resource_type, resource, project_name,
        repository_name, tag, address, request_id, detail)
    VALUES (%(event_id)s, %(occurred_at)s, %(username)s, %(operation)s, %(resource_type)s, %(resource)s,
        %(project_name)s, %(repository_name)s, %(tag)s, %(address)s, %(request_id)s, %(detail)s::json)
    ON CONFLICT (event_id) DO NOTHING
""")


async def insert_entry(tx: Transaction, entry: AuditEntry, detail: str) -> None:
    """Add an entry; an event is entered once."""
    await tx.run(
        INSERT_ENTRY,
        event_id=entry.event_id,
        occurred_at=entry.occurred_at,
        username=entry.username,
        operation=entry.operation,
        resource_type=entry.resource_type,
        resource=entry.resource,
        project_name=entry.project_name,
        repository_name=entry.repository_name,
        tag=entry.tag,
        address=entry.address,
        request_id=entry.request_id,
        detail=detail,
    )
