"""Reading uploads that clients sent to the storage, and cleaning up after uploads."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from app.blobs.expire import expire_uploads as expire
from app.blobs.orphans import notice_orphans, shard_at
from app.blobs.orphans import remove_orphans as remove
from app.blobs.verify import hash_received as read_all
from app.resources import Resources

_EVERY: Final = timedelta(minutes=5)

log = structlog.get_logger()


async def expire_uploads(context: dict[str, Any]) -> int:
    """Remove uploads that nobody finishes."""
    r: Resources = context["resources"]
    removed = await expire(r)
    if removed:
        log.info("uploads_expired", removed=removed)
    return removed


async def remove_orphans(context: dict[str, Any]) -> int:
    """Look for content that is no blob in one part of the storage, and remove what was found long ago."""
    r: Resources = context["resources"]
    noticed = await notice_orphans(r, shard_at(datetime.now(UTC), _EVERY))
    removed = await remove(r, r.settings.uploads.orphan_age)
    if noticed or removed:
        log.info("orphans_removed", noticed=noticed, removed=removed)
    return removed


async def hash_received(context: dict[str, Any], ids: list[str]) -> int:
    """Find out what clients sent."""
    r: Resources = context["resources"]
    return await read_all(r, ids)
