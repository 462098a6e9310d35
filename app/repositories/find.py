"""Finding repositories, and counting what is pulled from them, for the slices above."""

from app.db import Statements, Transaction
from app.repositories import store


async def find_repository_id(statements: Statements, name: str) -> int | None:
    """Return the id of the repository of that full name."""
    return await store.find_repository_id(statements, name)


async def add_pulls(tx: Transaction, name: str, count: int) -> None:
    """Count pulls from a repository."""
    await store.add_pulls(tx, name, count)
