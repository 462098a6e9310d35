"""Statements on everything that is owed to targets."""

from datetime import datetime

from msgspec import Struct

from app.db import SQL, Statements, Transaction


class Backlog(Struct, frozen=True):
    """What waits, what is being sent, and since when the oldest waits."""

    waiting: int
    running: int
    oldest_at: datetime | None
    age_seconds: int


GET_BACKLOG = SQL("""
    SELECT count(*) FILTER (WHERE leased_until IS NULL OR leased_until <= now()) AS waiting,
        count(*) FILTER (WHERE leased_until > now()) AS running,
        min(created_at) AS oldest_at,
        coalesce(extract(epoch FROM now() - min(created_at))::bigint, 0) AS age_seconds
    FROM webhook_deliveries WHERE status = 'pending'
""")


async def get_backlog(statements: Statements) -> Backlog:
    """Return how much is owed."""
    return await statements.one(Backlog, GET_BACKLOG)


UPDATE_STOPPED = SQL("""
    UPDATE webhook_deliveries SET status = 'stopped', finished_at = now()
    WHERE id IN (
        SELECT id FROM webhook_deliveries
        WHERE status = 'pending' AND (leased_until IS NULL OR leased_until <= now())
        FOR NO KEY UPDATE SKIP LOCKED
    )
""")


async def update_stopped(tx: Transaction) -> int:
    """Stop what waits, and return how much that was."""
    return await tx.run(UPDATE_STOPPED)
