"""Jobs that events owe: each does its effect and settles its row in one transaction."""

from typing import Any

from app.audit.enter import enter
from app.manifests.count import count_pulls as count
from app.resources import Resources


async def write_audit_log(context: dict[str, Any], job_id: str) -> bool:
    """Enter an event into the audit log."""
    r: Resources = context["resources"]
    return await enter(r, job_id)


async def count_pulls(context: dict[str, Any], job_id: str) -> bool:
    """Count pulls."""
    r: Resources = context["resources"]
    return await count(r, job_id)
