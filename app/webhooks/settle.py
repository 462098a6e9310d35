"""Writing down what came of attempts, and what that says of the target."""

from datetime import datetime, timedelta
from typing import Final

import structlog
from msgspec.structs import replace

from app.db import Transaction
from app.events import Cause, WebhookTargetPaused, outbox
from app.settings import WebhookSettings
from app.webhooks import delivery_store as store
from app.webhooks.delivery_store import Receiver, Result
from app.webhooks.health_model import Health, retry_delay
from app.webhooks.send import Attempt

_SYSTEM: Final = Cause(username="system")

log = structlog.get_logger()


async def settle(
    tx: Transaction, receiver: Receiver, attempts: list[Attempt], *, settings: WebhookSettings
) -> Receiver:
    """Settle deliveries or say when they are due again; return the target as it fares now."""
    await store.insert_results(tx, [_result(attempt) for attempt in attempts])
    health = receiver.health
    for attempt in sorted(attempts, key=lambda each: each.attempted_at + each.took):
        health = after(health, attempt, receiver.now, settings=settings)
    if health == receiver.health:
        return receiver
    await store.update_health(tx, receiver.target.id, health)
    if health.paused_at and not receiver.health.paused_at:
        await _tell_of_pause(tx, receiver, attempts[-1])
    return replace(receiver, health=health)


def after(health: Health, attempt: Attempt, now: datetime, *, settings: WebhookSettings) -> Health:
    """Return the health of a target after an attempt."""
    if attempt.is_success:
        return health.after_success()
    health = health.after_failure(now, wait=attempt.wait, is_probe=attempt.is_probe)
    fails_too_long = health.failing_since is not None and now - health.failing_since >= settings.pause_after
    if attempt.is_gone or fails_too_long:
        return replace(health, paused_at=health.paused_at or now)
    return health


async def _tell_of_pause(tx: Transaction, receiver: Receiver, attempt: Attempt) -> None:
    reason = attempt.error or f"it answered {attempt.status}"
    target_id = receiver.target.id
    paused = WebhookTargetPaused(
        name=receiver.policy_name, project_name=receiver.project_name, target_id=target_id, reason=reason
    )
    await outbox.record(tx, _SYSTEM, paused)
    log.warning("webhook_target_paused", target=target_id, reason=reason)


def _result(attempt: Attempt) -> Result:
    delay = max(retry_delay(attempt.tries), attempt.wait or timedelta(0))
    return Result(
        id=attempt.id,
        number=attempt.number,
        attempted_at=attempt.attempted_at,
        took_seconds=attempt.took.total_seconds(),
        status=attempt.status,
        error=attempt.error,
        answer=attempt.answer,
        is_success=attempt.is_success,
        retry_in_seconds=delay.total_seconds(),
    )
