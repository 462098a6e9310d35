"""Statements on how targets fare."""

from app.db import SQL, Statements, Transaction
from app.webhooks.log_model import TargetState

LIST_STATES = SQL("""
    SELECT t.id, t.kind, t.address, t.failures, t.failing_since, t.open_until, t.paused_at, now() AS now,
        (
            SELECT count(*) FROM webhook_deliveries d WHERE d.target_id = t.id AND d.status = 'pending'
        ) AS owed,
        (SELECT count(*) FROM webhook_deliveries d WHERE d.target_id = t.id AND d.status = 'dead') AS dead
    FROM webhook_targets t WHERE t.policy_id = %(policy_id)s ORDER BY t.id
""")


async def list_states(statements: Statements, policy_id: int) -> list[TargetState]:
    """Return how the targets of a policy fare."""
    return await statements.all(TargetState, LIST_STATES, policy_id=policy_id)


UPDATE_PAUSED = SQL("""
    UPDATE webhook_targets SET paused_at = now()
    WHERE policy_id = %(policy_id)s AND id = %(target_id)s AND paused_at IS NULL
""")


async def update_paused(tx: Transaction, policy_id: int, target_id: int) -> bool:
    """Let what is owed to a target wait; False when it did, or there is no such target."""
    return await tx.run(UPDATE_PAUSED, policy_id=policy_id, target_id=target_id) == 1


UPDATE_RESUMED = SQL("""
    UPDATE webhook_targets SET failures = 0, failing_since = NULL, open_until = NULL, paused_at = NULL
    WHERE policy_id = %(policy_id)s AND id = %(target_id)s
""")


async def update_resumed(tx: Transaction, policy_id: int, target_id: int) -> None:
    """Take a target for one that fares well."""
    await tx.run(UPDATE_RESUMED, policy_id=policy_id, target_id=target_id)
