"""Removing content from the storage that is no blob.

A crash leaves it behind, or a push that was refused after its bytes were stored. A push of the same bytes can
come at any moment, and between its bytes and its row there is nothing to hold a lock on. So what is found is
noted first, and removed only when it has been noted for long; and a push takes the note away before it stores
(`spare`). The two meet in one row:

- The note goes before the removal begins: it does not begin. Should it be noted anew at once, it is safe
  until that is old; by then the push has its row, which the removal asks for when it begins, or is dead.
- The removal has begun: the push is refused, and comes again. What it stores when this has ended, stays.
- There is no note: the removal ended before the push stores, or cannot begin before the push has ended.

The age is counted from when this database noticed: a registry that is pointed at another's bucket by mistake
does no harm for as long.
"""

from datetime import datetime, timedelta
from typing import Final

from app.blobs import orphan_store as orphans
from app.oci.digest import Digest
from app.resources import Resources
from app.storage import StorageBusy

SHARDS: Final = 256
"""Parts of the storage, by the first two digits of digests: one of them is looked at in a run."""

RECENT: Final = timedelta(minutes=1)
"""For so long a process knows what is noted. What it does not know of cannot go for a day."""

_MOST_KNOWN: Final = 10_000
_NOTED_AT_ONCE: Final = 1_000
_MOST_REMOVED: Final = 1_000
_PATIENCE: Final = timedelta(hours=1)
"""A removal that takes longer has died with its process, and no request of it is on its way any more."""


async def spare(r: Resources, digest: Digest) -> None:
    """Keep content from being removed as nobody's; to be called before it is stored.

    Raises StorageBusy while just that is being done.
    """
    noted = await orphans.get_orphans(r.database, limit=_MOST_KNOWN, max_age=RECENT)
    if digest not in noted and len(noted) < _MOST_KNOWN:
        return
    if await orphans.is_orphan(r.database, digest) and not await orphans.delete_orphan(r.database, digest):
        raise StorageBusy(f"an earlier {digest}, which nobody used, is being removed")


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
    taken = await orphans.take_orphans(r.database, age=age, patience=_PATIENCE, limit=_MOST_REMOVED)
    await r.storage.delete(*taken)
    await orphans.delete_removed(r.database, taken)
    return len(taken)


def shard_at(moment: datetime, every: timedelta) -> int:
    """Return which part is looked at then: one after the other, whoever did the one before."""
    return int(moment.timestamp() // every.total_seconds()) % SHARDS
