"""Statements on who takes an event, and what they are owed."""

from datetime import datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import SQL, Database, Prepared, Transaction
from app.webhooks.event_model import EventData, Facts
from app.webhooks.model import EventFilter

_RECENT: Final = timedelta(seconds=2)


class Taker(Struct, frozen=True):
    """A policy that takes events of these types where they match."""

    policy_id: int
    project_name: str
    is_public: bool
    event_types: tuple[str, ...]
    filters: tuple[EventFilter, ...]

    @classmethod
    def of(cls, **columns: object) -> Self:
        """Return what a row says."""
        return msgspec.convert(columns, cls)


class NewExecution(Struct, frozen=True):
    """An event for one policy."""

    policy_id: int
    event_id: UUID
    event_type: str
    occurred_at: datetime
    operator: str
    request_id: str
    event_number: int
    repository_name: str
    data: EventData


LIST_TAKERS = SQL("""
    SELECT w.id AS policy_id, p.name AS project_name, p.is_public, w.event_types, w.filters
    FROM webhook_policies w JOIN projects p ON p.id = w.project_id
    WHERE w.is_enabled AND p.name = ANY(%(projects)s::text[]) AND w.event_types && %(types)s::text[]
        AND NOT EXISTS (SELECT FROM configurations WHERE name = 'notification_enable' AND value = 'false')
    ORDER BY w.id FOR SHARE OF w
""")


async def list_takers(tx: Transaction, projects: list[str], types: list[str]) -> list[Taker]:
    """Return the enabled policies that name one of these types; their targets stay until `tx` ends.

    There are none while an administrator has turned all of them off.
    """
    return await tx.all(Taker.of, LIST_TAKERS, projects=projects, types=types)


LIST_FACTS = SQL("""
    SELECT r.name, wanted.digest, p.is_public, r.created_at, m.media_type, m.size_bytes
    FROM unnest(%(names)s::text[], %(digests)s::text[]) AS wanted (name, digest)
    JOIN repositories r ON r.name = wanted.name
    JOIN projects p ON p.id = r.project_id
    LEFT JOIN manifests m ON m.repository_id = r.id AND m.digest = wanted.digest
""")


async def list_facts(tx: Transaction, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Facts]:
    """Return what is known of repositories and artifacts; those that are gone are left out."""

    def row(name: str, digest: str, **columns: Any) -> tuple[tuple[str, str], Facts]:  # noqa: ANN401 - columns
        return (name, digest), Facts(**columns)

    names, digests = [name for name, _ in keys], [digest for _, digest in keys]
    return dict(await tx.all(row, LIST_FACTS, names=names, digests=digests))


INSERT_DELIVERIES = SQL("""
    WITH wanted AS (
        SELECT (e->>'policy_id')::bigint AS policy_id, (e->>'event_id')::uuid AS event_id,
            e->>'event_type' AS event_type, (e->>'occurred_at')::timestamptz AS occurred_at,
            e->>'operator' AS operator, e->>'request_id' AS request_id, e->'data' AS data,
            (e->>'event_number')::bigint AS event_number, e->>'repository_name' AS repository_name
        FROM unnest(%(executions)s::json[]) AS e
    ), executed AS (
        INSERT INTO webhook_executions
            (policy_id, event_id, event_type, occurred_at, operator, request_id, data)
        SELECT policy_id, event_id, event_type, occurred_at, operator, request_id, data
        FROM wanted ORDER BY event_number
        ON CONFLICT (policy_id, event_id) DO NOTHING
        RETURNING id, policy_id, event_id
    )
    INSERT INTO webhook_deliveries (execution_id, target_id, event_number, repository_name, give_up_at)
    SELECT executed.id, t.id, wanted.event_number, wanted.repository_name, now() + %(give_up_after)s::interval
    FROM executed
    JOIN wanted USING (policy_id, event_id)
    JOIN webhook_targets t USING (policy_id)
    ORDER BY wanted.event_number
    RETURNING target_id
""")


async def insert_deliveries(
    tx: Transaction, executions: list[NewExecution], *, give_up_after: timedelta
) -> list[int]:
    """Owe each event to each target of its policy, once, and return the targets."""
    documents = [msgspec.json.encode(execution).decode() for execution in executions]
    return sorted(set(await tx.values(INSERT_DELIVERIES, executions=documents, give_up_after=give_up_after)))


LIST_WAITED_FOR = SQL("""
    SELECT t.id FROM webhook_targets t JOIN webhook_policies w ON w.id = t.policy_id
    WHERE w.is_enabled AND t.paused_at IS NULL AND (t.open_until IS NULL OR t.open_until <= now())
        AND NOT EXISTS (SELECT FROM paused_jobs WHERE name = 'deliver_webhooks')
        AND EXISTS (
            SELECT FROM webhook_deliveries d
            WHERE d.target_id = t.id AND d.status = 'pending' AND d.due_at <= now()
                AND (d.leased_until IS NULL OR d.leased_until <= now())
        )
    ORDER BY t.id
""")


async def list_waited_for(database: Database) -> list[int]:
    """Return the targets that something is due for and nobody sends it."""
    async with database.autocommit() as statements:
        return await statements.values(LIST_WAITED_FOR)


HAS_POLICIES = Prepared(
    "has_webhook_policies", ("integer",), "SELECT id FROM webhook_policies WHERE is_enabled LIMIT $1"
)


async def has_policies(database: Database) -> bool:
    """Whether there was a policy a few seconds ago."""
    return bool(await database.recent(HAS_POLICIES, 1, max_age=_RECENT))
