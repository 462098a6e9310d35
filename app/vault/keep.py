"""Keeping a secret, and reading it again. Other tables refer to it by its id."""

from app.db import Statements, Transaction
from app.vault import store
from app.vault.sealer import Sealer, SecretUnreadable


async def keep(tx: Transaction, sealer: Sealer, secret: str) -> int:
    """Store a secret and return its id."""
    return await store.insert_secret(tx, sealer.seal(secret))


async def reveal(statements: Statements, sealer: Sealer, secret_id: int) -> str:
    """Return a secret; raise SecretUnreadable."""
    found = await store.find_secret(statements, secret_id)
    if found is None:
        raise SecretUnreadable
    return sealer.open(found.sealed)


async def reveal_all(statements: Statements, sealer: Sealer, secret_ids: list[int]) -> dict[int, str]:
    """Return those of the secrets that can be read, by their ids."""
    found = await store.list_secrets(statements, secret_ids) if secret_ids else []
    return {secret.id: sealer.open(secret.sealed) for secret in found if sealer.knows(secret.key_id)}


async def replace(tx: Transaction, sealer: Sealer, secret_id: int, *, secret: str) -> None:
    """Store another secret under the same id; raise SecretUnreadable where there is none."""
    if not await store.update_secret(tx, secret_id, sealer.seal(secret)):
        raise SecretUnreadable


async def forget(tx: Transaction, secret_id: int) -> None:
    """Remove a secret, after what referred to it."""
    await store.delete_secret(tx, secret_id)
