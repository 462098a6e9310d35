"""Statements on the audit log."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from app.audit.model import AuditEntry, LoggedEntry
from app.db import SQL, Column, Database, Listing, Transaction

INSERT_ENTRIES = SQL("""
    INSERT INTO audit_logs (event_id, occurred_at, username, operation, resource_type, resource, project_name,
        repository_name, tag, address, user_agent, request_id, is_success, detail)
    SELECT (entry->>'event_id')::uuid, (entry->>'occurred_at')::timestamptz, entry->>'username',
        entry->>'operation', entry->>'resource_type', entry->>'resource', entry->>'project_name',
        entry->>'repository_name', entry->>'tag', entry->>'address', entry->>'user_agent',
        entry->>'request_id', (entry->>'is_success')::boolean, detail::json
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


# Everything, or what concerns projects; not what was before them, when others may have had their names.
_READABLE: Final = """
    (%(projects)s::text[] IS NULL OR a.project_name = ANY(%(projects)s::text[]) AND EXISTS (
        SELECT FROM projects p WHERE p.name = a.project_name AND p.created_at <= a.occurred_at
    ))
"""

ENTRIES = Listing(
    LoggedEntry,
    rows="""
        SELECT a.id, a.occurred_at, a.username, a.operation, a.resource_type, a.resource, a.address,
            a.user_agent, a.request_id, a.is_success
        FROM audit_logs a
        WHERE {readable} AND {conditions}
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    """.replace("{readable}", _READABLE),
    # A log has millions of entries, and nobody pages to their end: counting stops in time.
    count="""
        SELECT count(*) FROM (
            SELECT FROM audit_logs a
            WHERE {readable} AND {conditions}
            LIMIT 100000
        ) counted
    """.replace("{readable}", _READABLE),
    columns={
        "op_time": Column("a.occurred_at", datetime),
        "username": Column("a.username"),
        "operation": Column("a.operation"),
        "resource_type": Column("a.resource_type"),
        "resource": Column("a.resource"),
        "operation_result": Column("a.is_success", bool),
        "client_address": Column("a.address"),
        "request_id": Column("a.request_id"),
    },
    order="a.occurred_at DESC, a.id DESC",
)

LIST_READABLE = SQL("""
    SELECT DISTINCT p.name FROM project_members m JOIN projects p ON p.id = m.project_id
    WHERE m.role = ANY(%(roles)s::text[]) AND (
        m.user_id = %(user_id)s
        OR m.group_id IN (SELECT group_id FROM user_group_members WHERE user_id = %(user_id)s))
""")


async def list_readable(database: Database, user_id: int, roles: list[str]) -> list[str]:
    """Return the names of the projects in which the user has one of the roles."""
    async with database.autocommit() as statements:
        return await statements.values(LIST_READABLE, user_id=user_id, roles=roles)


DELETE_OLD = SQL("""
    DELETE FROM audit_logs WHERE id IN (
        SELECT id FROM audit_logs WHERE occurred_at < now() - %(age)s::interval
        ORDER BY occurred_at LIMIT %(limit)s
    )
""")


async def delete_old(database: Database, *, age: timedelta, limit: int) -> int:
    """Remove up to `limit` of the entries that are older and return how many there were."""
    async with database.autocommit() as statements:
        return await statements.run(DELETE_OLD, age=age, limit=limit)
