"""Jobs on artifacts."""

from typing import Any

from app.manifests.describe import describe_pushed
from app.resources import Resources


async def describe_artifacts(context: dict[str, Any], ids: list[str]) -> int:
    """Read what the configs of pushed artifacts say."""
    r: Resources = context["resources"]
    return await describe_pushed(r, ids)
