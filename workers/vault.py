"""Bringing stored secrets under the key in force."""

from typing import Any

import structlog

from app.resources import Resources
from app.vault.renew import renew

log = structlog.get_logger()


async def renew_secrets(context: dict[str, Any]) -> int:
    """Encrypt anew what an earlier key encrypted."""
    r: Resources = context["resources"]
    renewed = await renew(r.database, r.sealer)
    if renewed:
        log.info("secrets_renewed", renewed=renewed)
    return renewed
