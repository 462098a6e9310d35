"""Statements that make deliveries due once more, or end them.

What is due once more begins anew: it is tried for as long, and first again soon. What is on its way keeps its
place among what is due, by which it is counted.
"""

from datetime import datetime, timedelta
from typing import Final

from app.db import SQL, Transaction

_BEGIN_ANEW: Final = """
    UPDATE webhook_deliveries
    SET status = 'pending', due_at = CASE WHEN leased_until > now() THEN least(due_at, now()) ELSE now() END,
        give_up_at = now() + %(give_up_after)s::interval, earlier_attempts = attempts, finished_at = NULL
    WHERE """

UPDATE_WAITING = SQL(
    _BEGIN_ANEW
    + """target_id = %(target_id)s AND status = 'pending'
"""
)


async def update_waiting(tx: Transaction, target_id: int, *, give_up_after: timedelta) -> None:
    """Make due what waits for a target."""
    await tx.run(UPDATE_WAITING, target_id=target_id, give_up_after=give_up_after)


UPDATE_REPLAYED = SQL(_BEGIN_ANEW + "id = ANY(%(ids)s)")


async def update_replayed(tx: Transaction, ids: list[int], *, give_up_after: timedelta) -> None:
    """Make deliveries due, whatever has become of them."""
    await tx.run(UPDATE_REPLAYED, ids=ids, give_up_after=give_up_after)


FIND_DELIVERY = SQL("""
    SELECT d.id FROM webhook_deliveries d JOIN webhook_targets t ON t.id = d.target_id
    WHERE t.policy_id = %(policy_id)s AND d.id = %(delivery_id)s
""")


async def find_delivery(tx: Transaction, policy_id: int, delivery_id: int) -> int | None:
    """Return the id of a delivery of the policy."""
    found = await tx.value(FIND_DELIVERY, policy_id=policy_id, delivery_id=delivery_id)
    return None if found is None else int(found)


LIST_FINISHED = SQL("""
    SELECT d.id
    FROM webhook_deliveries d JOIN webhook_executions e ON e.id = d.execution_id
    WHERE d.target_id = ANY(%(targets)s) AND d.status = ANY(%(statuses)s)
        AND e.occurred_at >= %(begin)s AND e.occurred_at <= %(end)s
    ORDER BY d.id LIMIT %(limit)s
""")


async def list_finished(
    tx: Transaction,
    targets: list[int],
    *,
    statuses: list[str],
    begin: datetime,
    end: datetime,
    limit: int,
) -> list[int]:
    """Return up to `limit` deliveries with one of these statuses, of events between two moments."""
    return await tx.values(
        LIST_FINISHED, targets=targets, statuses=statuses, begin=begin, end=end, limit=limit
    )


UPDATE_STOPPED = SQL("""
    UPDATE webhook_deliveries SET status = 'stopped', leased_until = NULL, finished_at = now()
    WHERE execution_id = %(execution_id)s AND status = 'pending'
""")


async def update_stopped(tx: Transaction, execution_id: int) -> None:
    """End what is owed because of an event."""
    await tx.run(UPDATE_STOPPED, execution_id=execution_id)
