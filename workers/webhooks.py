"""Delivering webhooks, and forgetting what was delivered long ago."""

from typing import Any

import structlog

from app.resources import Resources
from app.webhooks.deliver import Deliveries
from app.webhooks.purge import purge

log = structlog.get_logger()


async def deliver_webhooks(context: dict[str, Any], target_ids: list[int]) -> None:
    """Send what is due for these targets."""
    if "deliveries" not in context:
        context["deliveries"] = Deliveries(context["resources"], stop=context["stop"])
    deliveries: Deliveries = context["deliveries"]
    await deliveries.deliver(target_ids)


async def purge_webhook_log(context: dict[str, Any]) -> int:
    """Forget deliveries that were over long ago."""
    r: Resources = context["resources"]
    removed = await purge(r)
    if removed:
        log.info("webhook_log_purged", removed=removed)
    return removed
