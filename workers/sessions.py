"""Cleaning up after sessions of browsers."""

from typing import Any

import structlog

from app.auth.sessions import remove_expired
from app.resources import Resources

log = structlog.get_logger()


async def expire_sessions(context: dict[str, Any]) -> int:
    """Remove sessions that are over."""
    r: Resources = context["resources"]
    removed = await remove_expired(r)
    if removed:
        log.info("sessions_expired", removed=removed)
    return removed
