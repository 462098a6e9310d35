"""Pausing and resuming targets, and sending once more what was sent or given up."""

from typing import Final

from app.access import ProjectCall
from app.db import Transaction
from app.events import WebhookDeliveryReplayed, WebhookTargetPaused, WebhookTargetResumed, outbox
from app.harbor.errors import BadRequest, NotFound
from app.resources import Resources
from app.webhooks import policy_store, replay_store, target_store
from app.webhooks.log_model import TargetState
from app.webhooks.logs import require_execution
from app.webhooks.model import Policy
from app.webhooks.policies import get_policy, require_policy
from app.webhooks.target_schemas import WebhookReplayReq

MAX_REPLAYED: Final = 10_000
"""Deliveries at once."""

_STATUSES: Final = {"Success": ["success"], "Error": ["dead"], "Stopped": ["stopped"]}
_ANY: Final = ["success", "dead", "stopped"]


async def list_states(r: Resources, project_id: int, policy_id: int) -> list[TargetState]:
    """Return how the targets of a policy fare; raise NotFound."""
    policy = await get_policy(r, project_id, policy_id)
    async with r.database.autocommit() as statements:
        return await target_store.list_states(statements, policy.id)


async def pause_target(r: Resources, call: ProjectCall, policy_id: int, *, target_id: int) -> None:
    """Let what is owed to a target wait; what is on its way arrives. Raise NotFound."""
    async with r.database.transaction() as tx:
        policy = await require_policy(tx, call.project_id, policy_id)
        policy.target(target_id)
        if await target_store.update_paused(tx, policy_id, target_id):
            event = WebhookTargetPaused(policy.name, call.project_name, target_id=target_id)
            await outbox.record(tx, call.cause, event)


async def resume_target(r: Resources, call: ProjectCall, policy_id: int, *, target_id: int) -> None:
    """Send a target now what waits for it, however it fared before; raise NotFound."""
    async with r.database.transaction() as tx:
        policy = await require_policy(tx, call.project_id, policy_id)
        policy.target(target_id)
        await target_store.update_resumed(tx, policy_id, target_id)
        await replay_store.update_waiting(tx, target_id, give_up_after=r.settings.webhooks.give_up_after)
        event = WebhookTargetResumed(policy.name, call.project_name, target_id=target_id)
        await outbox.record(tx, call.cause, event)


async def replay_delivery(r: Resources, call: ProjectCall, policy_id: int, *, delivery_id: int) -> None:
    """Send a delivery once more, by the id that its consumer knows; raise NotFound."""
    async with r.database.transaction() as tx:
        policy = await require_policy(tx, call.project_id, policy_id)
        await policy_store.lock_targets(tx, policy_id)
        found = await replay_store.find_delivery(tx, policy_id, delivery_id)
        if found is None:
            raise NotFound("the policy has no such delivery")
        await _replay(r, tx, call, policy=policy, ids=[found])


async def replay_deliveries(
    r: Resources, call: ProjectCall, policy_id: int, *, wanted: WebhookReplayReq
) -> int:
    """Send once more what is over, and return how much that is.

    Raises:
        NotFound: there is no such policy or target.
        BadRequest: it is too much at once.
    """
    async with r.database.transaction() as tx:
        policy = await require_policy(tx, call.project_id, policy_id)
        targets = await policy_store.lock_targets(tx, policy_id)
        ids = await replay_store.list_finished(
            tx,
            [policy.target(wanted.target_id).id] if wanted.target_id else targets,
            statuses=_STATUSES.get(wanted.status, _ANY),
            begin=wanted.begin,
            end=wanted.end,
            limit=MAX_REPLAYED + 1,
        )
        if len(ids) > MAX_REPLAYED:
            raise BadRequest(f"these are more than {MAX_REPLAYED} deliveries: choose a shorter time")
        if ids:
            await _replay(r, tx, call, policy=policy, ids=ids)
    return len(ids)


async def stop_execution(r: Resources, call: ProjectCall, policy_id: int, *, execution_id: int) -> None:
    """Owe nothing any more because of an event; raise NotFound."""
    async with r.database.transaction() as tx:
        await require_policy(tx, call.project_id, policy_id)
        await policy_store.lock_targets(tx, policy_id)
        await require_execution(tx, policy_id, execution_id)
        await replay_store.update_stopped(tx, execution_id)


async def _replay(
    r: Resources, tx: Transaction, call: ProjectCall, *, policy: Policy, ids: list[int]
) -> None:
    await replay_store.update_replayed(tx, ids, give_up_after=r.settings.webhooks.give_up_after)
    event = WebhookDeliveryReplayed(policy.name, call.project_name, count=len(ids))
    await outbox.record(tx, call.cause, event)
