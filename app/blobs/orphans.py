"""Removing content from the storage that is no blob.

A crash leaves it behind, or a push that was refused after its bytes were stored. A push of the same bytes can
come at any moment, and between its bytes and its row there is nothing to hold a lock on. So what is found is
noted first, and removed only when it has been noted for long; and a push takes the note away before it stores
(`spare`). The two meet in one row:

- The note goes before the removal begins: it does not begin. Should it be noted anew at once, it is safe
  until that is old; by then the push has its row, which the removal asks for when it begins, or is dead.
- The removal has begun: the push waits until it has ended. What it stores then, stays.
- There is no note: the removal ended before the push stores, or cannot begin before the push has ended.

A removal has ended when the storage has answered, whatever it answered. Where there was no answer, the bytes
may yet go; only then is a push refused, until nothing of that removal can be on its way any more.

The age is counted from when this database noticed: a registry that is pointed at another's bucket by mistake
does no harm for as long.
"""

import asyncio
import time
from datetime import datetime, timedelta
from typing import Final

from app.blobs import orphan_store as orphans
from app.blobs.lease import showing_life
from app.blobs.model import Removal
from app.oci.digest import Digest
from app.resources import Resources
from app.storage import StorageBusy, StorageError

SHARDS: Final = 256
"""Parts of the storage, by the first two digits of digests: one of them is looked at in a run."""

RECENT: Final = timedelta(minutes=1)
"""For so long a process knows what is noted. What it does not know of cannot go for a day."""

_MOST_KNOWN: Final = 10_000
_NOTED_AT_ONCE: Final = 1_000
_MOST_REMOVED: Final = 1_000
_REMOVED_AT_ONCE: Final = 100
"""Few, so that no push waits for long."""

_SIGN_OF_LIFE: Final = timedelta(seconds=30)
_DEAD: Final = timedelta(minutes=5)
"""A removal without a sign of life for as long is dead, and no request of it is on its way any more."""

_PATIENCE: Final = timedelta(seconds=5)
"""For so long a push waits for a removal; a few hundred milliseconds are usual."""

_LOOK_AGAIN_SECONDS: Final = 0.1


async def spare(r: Resources, digest: Digest, *, patience: timedelta = _PATIENCE) -> None:
    """Keep content from being removed as nobody's; to be called before it is stored.

    Where just that is being done, it waits for the end of it, and raises StorageBusy when there is none.
    """
    noted = await orphans.get_orphans(r.database, limit=_MOST_KNOWN, max_age=RECENT)
    if digest not in noted and len(noted) < _MOST_KNOWN:
        return
    deadline = time.monotonic() + patience.total_seconds()
    while await orphans.is_orphan(r.database, digest):
        if await orphans.delete_orphan(r.database, digest, dead=_DEAD):
            return
        if time.monotonic() >= deadline:
            raise StorageBusy(f"an earlier {digest}, which nobody used, is being removed")
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)


async def notice_orphans(r: Resources, shard: int) -> int:
    """Note what lies in one part of the storage and is no blob; return how much of it is new."""
    found = [digest async for digest in r.storage.list_digests(f"{shard:02x}")]
    noted = 0
    for start in range(0, len(found), _NOTED_AT_ONCE):
        noted += await orphans.insert_orphans(r.database, found[start : start + _NOTED_AT_ONCE])
    return noted


async def remove_orphans(r: Resources, age: timedelta) -> int:
    """Remove what was noted so long ago, up to a limit; return how much it was."""
    await orphans.delete_found(r.database)
    removed = 0
    while removed < _MOST_REMOVED:
        taken = await orphans.take_orphans(r.database, age=age, dead=_DEAD, limit=_REMOVED_AT_ONCE)
        if taken is None:
            break
        await _remove(r, taken)
        removed += len(taken.digests)
    return removed


async def _remove(r: Resources, taken: Removal) -> None:
    async def show_life() -> None:
        nonlocal taken
        taken = await orphans.renew_removal(r.database, taken)

    try:
        await showing_life(r.storage.delete(*taken.digests), show_life, every=_SIGN_OF_LIFE)
    except StorageBusy:
        # There may have been no answer.
        raise
    except StorageError:
        await orphans.give_back(r.database, taken)
        raise
    await orphans.delete_removed(r.database, taken)


def shard_at(moment: datetime, every: timedelta) -> int:
    """Return which part is looked at then: one after the other, whoever did the one before."""
    return int(moment.timestamp() // every.total_seconds()) % SHARDS
