"""Jobs that events owe: each does its effects and settles its rows in one transaction."""

from typing import Any

from app.audit.enter import enter
from app.manifests.count import count_pulls as count
from app.resources import Resources


async def write_audit_log(context: dict[str, Any], ids: list[str]) -> int:
    """Enter events into the audit log."""
    r: Resources = context["resources"]
    return await enter(r, ids)


async def count_pulls(context: dict[str, Any], ids: list[str]) -> int:
    """Count pulls."""
    r: Resources = context["resources"]
    return await count(r, ids)
