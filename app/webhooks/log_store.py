"""Statements on executions, their deliveries, and attempts."""

from datetime import datetime
from uuid import UUID

from app.db import SQL, Column, Listing, Statements, Transaction
from app.webhooks.log_model import Attempt, Delivery, Execution, LastTrigger

EXECUTIONS = Listing(
    Execution.of,
    rows="""
        SELECT e.id, e.policy_id, e.event_id, e.event_type, e.occurred_at, e.operator, e.request_id, e.data,
            e.created_at, webhook_execution_status(e.id) AS status, (
                SELECT min(t.kind) FROM webhook_deliveries d JOIN webhook_targets t ON t.id = d.target_id
                WHERE d.execution_id = e.id
            ) AS kind, (
                SELECT json_object_agg(task.status, task.number) FROM (
                    SELECT webhook_task_status(d) AS status, count(*) AS number
                    FROM webhook_deliveries d WHERE d.execution_id = e.id GROUP BY 1
                ) AS task
            ) AS counts, (
                SELECT CASE WHEN bool_and(d.finished_at IS NOT NULL) THEN max(d.finished_at) END
                FROM webhook_deliveries d WHERE d.execution_id = e.id
            ) AS finished_at
        FROM webhook_executions e WHERE e.policy_id = %(policy_id)s AND {conditions}
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    """,
    count="SELECT count(*) FROM webhook_executions e WHERE e.policy_id = %(policy_id)s AND {conditions}",
    columns={
        "id": Column("e.id", int),
        "event_type": Column("e.event_type"),
        "operator": Column("e.operator"),
        "status": Column("webhook_execution_status(e.id)"),
        "start_time": Column("e.created_at", datetime),
        "creation_time": Column("e.created_at", datetime),
    },
    order="e.id DESC",
)

DELIVERIES = Listing(
    Delivery.of,
    rows="""
        SELECT d.id, d.delivery_id AS webhook_id, d.execution_id, d.target_id, t.kind, t.address,
            e.event_type, d.repository_name, e.occurred_at, webhook_task_status(d) AS status, d.attempts,
            d.due_at, d.give_up_at, d.created_at, d.finished_at, (
                SELECT json_build_object(
                    'number', a.number, 'attempted_at', a.attempted_at, 'status', a.status,
                    'error', a.error, 'took_seconds', extract(epoch FROM a.took), 'answer', a.answer
                )
                FROM webhook_attempts a WHERE a.delivery_id = d.id ORDER BY a.number DESC LIMIT 1
            ) AS last
        FROM webhook_targets t
        JOIN webhook_deliveries d ON d.target_id = t.id
        JOIN webhook_executions e ON e.id = d.execution_id
        WHERE t.policy_id = %(policy_id)s AND {conditions}
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    """,
    count="""
        SELECT count(*)
        FROM webhook_targets t
        JOIN webhook_deliveries d ON d.target_id = t.id
        JOIN webhook_executions e ON e.id = d.execution_id
        WHERE t.policy_id = %(policy_id)s AND {conditions}
    """,
    columns={
        "id": Column("d.id", int),
        "webhook_id": Column("d.delivery_id::text"),
        "execution_id": Column("d.execution_id", int),
        "target_id": Column("d.target_id", int),
        "event_type": Column("e.event_type"),
        "repository_name": Column("d.repository_name"),
        "status": Column("webhook_task_status(d)"),
        "attempts": Column("d.attempts", int),
        "occurred_at": Column("e.occurred_at", datetime),
        "creation_time": Column("d.created_at", datetime),
        "start_time": Column("d.created_at", datetime),
        "due_at": Column("d.due_at", datetime),
    },
    order="d.id DESC",
)

HAS_EXECUTION = SQL("""
    SELECT id FROM webhook_executions WHERE policy_id = %(policy_id)s AND id = %(execution_id)s
""")


async def has_execution(statements: Statements, policy_id: int, execution_id: int) -> bool:
    """Whether the policy has taken that event."""
    found = await statements.value(HAS_EXECUTION, policy_id=policy_id, execution_id=execution_id)
    return found is not None


GET_EXECUTION = SQL("""
    SELECT id FROM webhook_executions WHERE policy_id = %(policy_id)s AND event_id = %(event_id)s
""")


async def get_execution(tx: Transaction, policy_id: int, event_id: UUID) -> int:
    """Return the id of what a policy took."""
    return int(await tx.value(GET_EXECUTION, policy_id=policy_id, event_id=event_id))


LIST_ATTEMPTS = SQL("""
    SELECT number, attempted_at, extract(epoch FROM took)::float AS took_seconds, status, error, answer
    FROM webhook_attempts WHERE delivery_id = %(delivery_id)s ORDER BY number
""")


async def list_attempts(statements: Statements, delivery_id: int) -> list[Attempt]:
    """Return the attempts of a delivery, as they were made."""
    return await statements.all(Attempt, LIST_ATTEMPTS, delivery_id=delivery_id)


LIST_LAST_TRIGGERS = SQL("""
    SELECT p.name AS policy_name, kind.name AS event_type, p.is_enabled, p.created_at, (
        SELECT e.created_at FROM webhook_executions e
        WHERE e.policy_id = p.id AND e.event_type = kind.name
        ORDER BY e.id DESC LIMIT 1
    ) AS triggered_at
    FROM webhook_policies p, unnest(p.event_types) WITH ORDINALITY AS kind (name, place)
    WHERE p.project_id = %(project_id)s
    ORDER BY p.id, kind.place
""")


async def list_last_triggers(statements: Statements, project_id: int) -> list[LastTrigger]:
    """Return for each type that a policy of the project names when it was last taken."""
    return await statements.all(LastTrigger, LIST_LAST_TRIGGERS, project_id=project_id)
