"""Statements on deliveries: which are due, who sends them, what came of it."""

from datetime import datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

import msgspec
from msgspec import Struct

from app.db import SQL, Database, Transaction
from app.webhooks.event_model import EventData
from app.webhooks.health_model import Health
from app.webhooks.model import Target

IN_FLIGHT: Final = 32
"""To one target at a time, by all workers together."""


class Receiver(Struct, frozen=True):
    """A target at this moment, and whose it is."""

    target: Target
    health: Health
    is_enabled: bool
    project_id: int
    project_name: str
    policy_id: int
    policy_name: str
    now: datetime

    @classmethod
    def of(cls, target: object, health: object, **columns: object) -> Self:
        """Return what a row says."""
        return msgspec.convert({"target": target, "health": health, **columns}, cls)


class Due(Struct, frozen=True):
    """A delivery to send, and the event it is about; `tries` counts attempts since it was replayed."""

    id: int
    delivery_id: UUID
    number: int
    tries: int
    event_id: UUID
    event_type: str
    occurred_at: datetime
    operator: str
    request_id: str
    data: EventData

    @classmethod
    def of(cls, **columns: object) -> Self:
        """Return what a row says."""
        return msgspec.convert(columns, cls)


class Result(Struct, frozen=True):
    """What came of an attempt; `retry_in` counts where it failed and is not the last."""

    id: int
    number: int
    attempted_at: datetime
    took_seconds: float
    status: int | None
    error: str
    answer: str
    is_success: bool
    retry_in_seconds: float


# Nobody waits for the disk: what a crash of the database takes back is sent once more, in the same order.
LOCK_RECEIVER = SQL("""
    SELECT t.id, t.kind, t.address, t.payload_format, t.verifies_certificate, t.ca_certificate, t.timeout,
        t.is_ordered, t.secret_id, t.failures, t.failing_since, t.open_until, t.paused_at,
        w.is_enabled, p.id AS project_id, p.name AS project_name, w.id AS policy_id, w.name AS policy_name,
        clock_timestamp() AS now, set_config('synchronous_commit', 'off', true) AS waits
    FROM webhook_targets t
    JOIN webhook_policies w ON w.id = t.policy_id
    JOIN projects p ON p.id = w.project_id
    WHERE t.id = %(target_id)s
    FOR NO KEY UPDATE OF t
""")


async def lock_receiver(tx: Transaction, target_id: int) -> Receiver | None:
    """Return a target; no other worker takes or settles anything of its until `tx` ends."""

    def row(waits: str, **columns: Any) -> Receiver:  # noqa: ANN401 - columns
        del waits
        target = {name: columns.pop(name) for name in Target.__struct_fields__}
        health = {name: columns.pop(name) for name in Health.__struct_fields__}
        return Receiver.of(target, health, **columns)

    return await tx.maybe(row, LOCK_RECEIVER, target_id=target_id)


UPDATE_HEALTH = SQL("""
    UPDATE webhook_targets SET failures = %(failures)s, failing_since = %(failing_since)s,
        open_until = %(open_until)s, paused_at = %(paused_at)s
    WHERE id = %(target_id)s
""")


async def update_health(tx: Transaction, target_id: int, health: Health) -> None:
    """Note how a target fares."""
    await tx.run(UPDATE_HEALTH, target_id=target_id, **msgspec.structs.asdict(health))


# Those under way are counted among the first. What somebody else holds is being removed.
_TAKE_FIRST: Final = """
    due AS (
        SELECT id FROM webhook_deliveries
        WHERE status = 'pending' AND id = ANY (ARRAY(
            SELECT id FROM first
            WHERE due_at <= statement_timestamp()
                AND (leased_until IS NULL OR leased_until <= statement_timestamp())
            ORDER BY due_at, id
            LIMIT least(%(limit)s, greatest(0, %(in_flight)s - (
                SELECT count(*) FROM first WHERE leased_until > statement_timestamp()
            )))
        )) AND NOT EXISTS (SELECT FROM paused_jobs WHERE name = 'deliver_webhooks')
        FOR NO KEY UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE webhook_deliveries d
        SET leased_until = statement_timestamp() + %(lease)s::interval, attempts = attempts + 1
        FROM due WHERE d.id = due.id
        RETURNING d.id, d.delivery_id, d.attempts, d.earlier_attempts, d.execution_id
    )
    SELECT c.id, c.delivery_id, c.attempts AS number, c.attempts - c.earlier_attempts AS tries,
        e.event_id, e.event_type, e.occurred_at, e.operator, e.request_id, e.data
    FROM claimed c JOIN webhook_executions e ON e.id = c.execution_id
    ORDER BY c.id
"""

# What is under way was due before what waits, so it is found without a look at the whole backlog.
CLAIM = SQL(
    """
    WITH first AS (
        SELECT id, due_at, leased_until FROM webhook_deliveries
        WHERE target_id = %(target_id)s AND status = 'pending' AND due_at <= statement_timestamp()
        ORDER BY due_at, id LIMIT %(in_flight)s
    ), {take}
    """.replace("{take}", _TAKE_FIRST)
)

# The oldest of each repository, from one to the next along the index; and it waits while the outbox has
# something older, which may be of the same repository.
CLAIM_ORDERED = SQL(
    """
    WITH RECURSIVE oldest AS (
        (
            SELECT id, repository_name, event_number, due_at, leased_until FROM webhook_deliveries
            WHERE target_id = %(target_id)s AND status = 'pending'
            ORDER BY repository_name, event_number, id LIMIT 1
        )
        UNION ALL
        SELECT following.*
        FROM oldest, LATERAL (
            SELECT id, repository_name, event_number, due_at, leased_until FROM webhook_deliveries
            WHERE target_id = %(target_id)s AND status = 'pending'
                AND repository_name > oldest.repository_name
            ORDER BY repository_name, event_number, id LIMIT 1
        ) following
    ), first AS (
        SELECT id, due_at, leased_until FROM oldest
        WHERE NOT EXISTS (SELECT FROM outbox o WHERE o.id < event_number)
    ), {take}
    """.replace("{take}", _TAKE_FIRST)
)


async def list_claimed(tx: Transaction, target: Target, *, limit: int, lease: timedelta) -> list[Due]:
    """Take up to `limit` that are due for a target; others leave them alone until the lease ends."""
    statement = CLAIM_ORDERED if target.is_ordered else CLAIM
    return await tx.all(Due.of, statement, target_id=target.id, limit=limit, in_flight=IN_FLIGHT, lease=lease)


# What somebody else holds is being removed with its policy; to wait for that could be to wait for each other.
INSERT_RESULTS = SQL("""
    WITH result AS (
        SELECT (r->>'id')::bigint AS id, (r->>'number')::integer AS number,
            (r->>'attempted_at')::timestamptz AS attempted_at,
            make_interval(secs => (r->>'took_seconds')::float) AS took, (r->>'status')::integer AS status,
            r->>'error' AS error, r->>'answer' AS answer, (r->>'is_success')::boolean AS is_success,
            make_interval(secs => (r->>'retry_in_seconds')::float) AS retry_in
        FROM unnest(%(results)s::json[]) AS r
    ), held AS (
        SELECT d.id FROM webhook_deliveries d
        WHERE d.id IN (SELECT id FROM result)
        FOR NO KEY UPDATE SKIP LOCKED
    ), logged AS (
        INSERT INTO webhook_attempts (delivery_id, number, attempted_at, took, status, error, answer)
        SELECT id, number, attempted_at, took, status, error, answer FROM result JOIN held USING (id)
        ON CONFLICT (delivery_id, number) DO NOTHING
    )
    UPDATE webhook_deliveries d
    SET leased_until = NULL,
        status = CASE
            WHEN result.is_success THEN 'success'
            WHEN d.give_up_at <= statement_timestamp() THEN 'dead'
            ELSE 'pending'
        END,
        finished_at = CASE
            WHEN result.is_success OR d.give_up_at <= statement_timestamp() THEN statement_timestamp()
        END,
        due_at = CASE
            -- It was replayed while it was on its way, and that is still to come.
            WHEN result.is_success OR result.number <= d.earlier_attempts THEN d.due_at
            ELSE statement_timestamp() + result.retry_in
        END
    FROM result JOIN held USING (id)
    WHERE d.id = result.id AND d.status = 'pending' AND (result.is_success OR d.attempts = result.number)
""")


async def insert_results(tx: Transaction, results: list[Result]) -> None:
    """Log attempts, and settle their deliveries or say when they are due again."""
    await tx.run(INSERT_RESULTS, results=[msgspec.json.encode(result).decode() for result in results])


UPDATE_HANDED_BACK = SQL("""
    UPDATE webhook_deliveries d SET leased_until = NULL, attempts = d.attempts - 1
    FROM unnest(%(ids)s::bigint[], %(numbers)s::integer[]) AS handed (id, number)
    WHERE d.id = handed.id AND d.attempts = handed.number AND d.status = 'pending'
""")


async def update_handed_back(tx: Transaction, deliveries: list[tuple[int, int]]) -> None:
    """Let others send what was not sent; deliveries by id and number of the attempt."""
    ids, numbers = [id_ for id_, _ in deliveries], [number for _, number in deliveries]
    await tx.run(UPDATE_HANDED_BACK, ids=ids, numbers=numbers)


DELETE_OLD = SQL("""
    DELETE FROM webhook_executions WHERE id IN (
        SELECT e.id FROM webhook_executions e
        WHERE e.created_at < now() - %(age)s::interval AND NOT EXISTS (
            SELECT FROM webhook_deliveries d WHERE d.execution_id = e.id AND d.status = 'pending'
        )
        ORDER BY e.created_at LIMIT %(limit)s
    )
""")


async def delete_old(database: Database, *, age: timedelta, limit: int) -> int:
    """Forget up to `limit` executions that are over and older, and return how many there were."""
    async with database.autocommit() as statements:
        return await statements.run(DELETE_OLD, age=age, limit=limit)
