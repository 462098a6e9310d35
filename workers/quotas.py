"""Looking after quotas."""

from typing import Any

from app.manifests.recount import recount
from app.resources import Resources


async def recount_quotas(context: dict[str, Any]) -> int:
    """Count what an older version pushed, and report every count that is wrong."""
    r: Resources = context["resources"]
    return await recount(r)
