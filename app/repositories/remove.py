"""Removing a repository that a slice above has emptied."""

from app.access import Call
from app.db import Transaction
from app.events import RepositoryDeleted, outbox
from app.repositories import management_store as store


async def lock_for_removal(tx: Transaction, name: str) -> int | None:
    """Return the id of a repository that nobody else can push to until `tx` ends."""
    return await store.lock_repository(tx, name)


async def remove_repository(tx: Transaction, call: Call, repository_id: int) -> None:
    """Remove a repository without manifests, and say so."""
    await store.delete_repository(tx, repository_id)
    await outbox.record(tx, call.cause, RepositoryDeleted(repository_name=call.repository))
