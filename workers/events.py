"""Jobs that events owe: each does its effects and settles its rows in one transaction."""

from typing import Any

from app.manifests.count import count_pulls as count
from app.resources import Resources


async def count_pulls(context: dict[str, Any], ids: list[str]) -> int:
    """Count pulls."""
    r: Resources = context["resources"]
    return await count(r, ids)
