"""Setting a count right, for the slice that knows what is used."""

from app.db import Transaction
from app.quotas import store


async def lock_count(tx: Transaction, project_id: int) -> int | None:
    """Return what is counted, unchanged until `tx` ends; None when there is no such project."""
    return await store.lock_used(tx, project_id)


async def correct(tx: Transaction, project_id: int, *, used_bytes: int) -> None:
    """Set what is counted."""
    await store.update_used(tx, project_id, used_bytes=used_bytes)
