"""Rotating the key: what an earlier one sealed is sealed anew with the one in force."""

from collections.abc import Callable
from typing import Final

from app.db import Database, Transaction
from app.vault import store
from app.vault.model import SealedSecret, Standing
from app.vault.sealer import Sealer, SecretUnreadable

_BATCH: Final = 200


async def standing(database: Database, sealer: Sealer) -> Standing:
    """Count the secrets."""
    async with database.autocommit() as statements:
        counts = {counted.key_id: counted.number for counted in await store.list_counts(statements)}
    current = counts.pop(sealer.key_id, 0)
    older = sum(number for key_id, number in counts.items() if sealer.knows(key_id))
    return Standing(current, older, sum(counts.values()) - older)


async def renew(database: Database, sealer: Sealer, note: Callable[[int], None] | None = None) -> int:
    """Seal anew what can be opened and return how much that was; `note` is told after every batch.

    Everything else may go on meanwhile, also the same in another process.
    """
    done, after = 0, 0
    while True:
        async with database.transaction() as tx:
            old = await store.lock_old(tx, sealer.key_id, after=after, limit=_BATCH)
            done += sum([await _renew(tx, sealer, one) for one in old])
        if not old:
            return done
        after = old[-1].id
        if note is not None:
            note(done)


async def _renew(tx: Transaction, sealer: Sealer, secret: SealedSecret) -> bool:
    try:
        opened = sealer.open(secret.sealed)
    except SecretUnreadable:
        return False
    return await store.update_secret(tx, secret.id, sealer.seal(opened))
