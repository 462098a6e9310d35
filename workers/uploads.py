"""Cleaning up after uploads."""

from typing import Any

import structlog

from app.blobs.expire import expire_uploads as expire
from app.resources import Resources

log = structlog.get_logger()


async def expire_uploads(context: dict[str, Any]) -> int:
    """Remove uploads that nobody finishes."""
    r: Resources = context["resources"]
    removed = await expire(r)
    if removed:
        log.info("uploads_expired", removed=removed)
    return removed
