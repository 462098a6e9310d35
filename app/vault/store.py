"""Statements on sealed secrets."""

from app.db import SQL, Statements, Transaction
from app.vault.model import Counted, Sealed, SealedSecret

INSERT_SECRET = SQL("INSERT INTO secrets (key_id, token) VALUES (%(key_id)s, %(token)s) RETURNING id")


async def insert_secret(tx: Transaction, sealed: Sealed) -> int:
    """Add a secret and return its id."""
    return int(await tx.value(INSERT_SECRET, key_id=sealed.key_id, token=sealed.token))


FIND_SECRET = SQL("SELECT id, key_id, token FROM secrets WHERE id = %(secret_id)s")


async def find_secret(statements: Statements, secret_id: int) -> SealedSecret | None:
    """Return a secret."""
    return await statements.maybe(SealedSecret, FIND_SECRET, secret_id=secret_id)


LIST_SECRETS = SQL("SELECT id, key_id, token FROM secrets WHERE id = ANY(%(ids)s)")


async def list_secrets(statements: Statements, ids: list[int]) -> list[SealedSecret]:
    """Return those of the secrets that there are."""
    return await statements.all(SealedSecret, LIST_SECRETS, ids=ids)


UPDATE_SECRET = SQL("""
    UPDATE secrets SET key_id = %(key_id)s, token = %(token)s, updated_at = now() WHERE id = %(secret_id)s
""")


async def update_secret(tx: Transaction, secret_id: int, sealed: Sealed) -> bool:
    """Put another secret in its place; False when there is none."""
    return await tx.run(UPDATE_SECRET, secret_id=secret_id, key_id=sealed.key_id, token=sealed.token) == 1


DELETE_SECRET = SQL("DELETE FROM secrets WHERE id = %(secret_id)s")


async def delete_secret(tx: Transaction, secret_id: int) -> None:
    """Remove a secret; whoever refers to it has to be gone."""
    await tx.run(DELETE_SECRET, secret_id=secret_id)


LOCK_OLD = SQL("""
    SELECT id, key_id, token FROM secrets WHERE key_id <> %(key_id)s AND id > %(after)s
    ORDER BY id LIMIT %(limit)s FOR UPDATE
""")


async def lock_old(tx: Transaction, key_id: str, *, after: int, limit: int) -> list[SealedSecret]:
    """Return secrets that another key sealed, unchanged until `tx` ends."""
    return await tx.all(SealedSecret, LOCK_OLD, key_id=key_id, after=after, limit=limit)


COUNT_SECRETS = SQL("SELECT key_id, count(*) AS number FROM secrets GROUP BY key_id")


async def list_counts(statements: Statements) -> list[Counted]:
    """Return the numbers by key."""
    return await statements.all(Counted, COUNT_SECRETS)
