"""Everything that is owed to targets, for those who look after jobs."""

from app.db import Statements, Transaction
from app.webhooks import backlog_store
from app.webhooks.backlog_store import Backlog


async def get_backlog(statements: Statements) -> Backlog:
    """Return how much is owed, to all targets together."""
    return await backlog_store.get_backlog(statements)


async def stop_waiting(tx: Transaction) -> int:
    """Stop what waits, and return how much that was; it can be replayed."""
    return await backlog_store.update_stopped(tx)
