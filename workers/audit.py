"""The audit log: written and forwarded for every event, purged of what is old."""

from typing import Any

import structlog

from app.audit.enter import enter
from app.audit.forward import forward
from app.audit.purge import purge
from app.resources import Resources

log = structlog.get_logger()


async def write_audit_log(context: dict[str, Any], ids: list[str]) -> int:
    """Enter events into the audit log."""
    r: Resources = context["resources"]
    return await enter(r, ids)


async def forward_audit_log(context: dict[str, Any], ids: list[str]) -> int:
    """Send entries to where they are also wanted."""
    r: Resources = context["resources"]
    return await forward(r, ids)


async def purge_audit_log(context: dict[str, Any]) -> int:
    """Remove entries that are old."""
    r: Resources = context["resources"]
    removed = await purge(r)
    if removed:
        log.info("audit_log_purged", removed=removed)
    return removed
