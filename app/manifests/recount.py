"""Counting anew what projects use: once after an upgrade, and to see that the count is right ever after."""

import structlog

from app.manifests import usage_store
from app.quotas.recount import correct, lock_count
from app.resources import Resources

log = structlog.get_logger()


async def recount(r: Resources) -> int:
    """Correct the counts that are not the sum of what is used; return how many there were.

    Every push counts in its own transaction, so there is nothing to do but for what an older version pushed.
    """
    suspects = await usage_store.list_suspects(r.database)
    return sum([await _recount(r, project_id) for project_id in suspects])


async def _recount(r: Resources, project_id: int) -> bool:
    async with r.database.transaction() as tx:
        uncounted = await usage_store.lock_uncounted(tx, project_id)
        if uncounted:
            await usage_store.insert_used(tx, project_id, uncounted)
            await usage_store.update_uncounted(tx, project_id, uncounted)
        # Whoever has not changed the quota's row yet has not committed what it counts either.
        counted = await lock_count(tx, project_id)
        used = await usage_store.sum_used(tx, project_id)
        if counted is None or counted == used:
            return False
        await correct(tx, project_id, used_bytes=used)
    drift = used - counted
    log.warning(
        "quota_corrected", project_id=project_id, used_bytes=used, drift_bytes=drift, uncounted=len(uncounted)
    )
    return True
