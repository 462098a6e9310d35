"""Testing a policy: an event that looks like a push goes to every target, the way of all others."""

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from app.access import ProjectCall
from app.events import ArtifactPushed, outbox
from app.harbor.errors import BadRequest
from app.resources import Resources
from app.webhooks import fan_out_store, log_store
from app.webhooks.event_data import event_data
from app.webhooks.event_model import Facts
from app.webhooks.event_types import TEST
from app.webhooks.fan_out import host_of
from app.webhooks.fan_out_store import NewExecution
from app.webhooks.policies import lock_policy

_DIGEST: Final = "sha256:" + "0" * 64
_MEDIA_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"


async def send_test(r: Resources, call: ProjectCall, policy_id: int) -> int:
    """Post a sample to every target of a policy, whatever it filters by, and return its execution.

    Raises:
        NotFound: there is no such policy.
        BadRequest: the policy is switched off, so that nothing is sent.
    """
    name = f"{call.project_name}/test"
    pushed = ArtifactPushed(name, _DIGEST, _MEDIA_TYPE, size_bytes=0, tags=("test",))
    facts = Facts(is_public=call.standing.is_public, created_at=datetime.now(UTC))
    event_id = uuid4()
    async with r.database.transaction() as tx:
        policy = await lock_policy(tx, call.project_id, policy_id)
        if not policy.is_enabled:
            raise BadRequest("the policy is not enabled: nothing is sent by it")
        execution = NewExecution(
            policy_id=policy.id,
            event_id=event_id,
            event_type=TEST.name,
            occurred_at=datetime.now(UTC),
            operator=call.cause.username,
            request_id=call.cause.request_id,
            event_number=await outbox.next_number(tx),
            repository_name="",
            data=event_data(pushed, facts, host_of(r.settings)),
        )
        after = r.settings.webhooks.give_up_after
        await fan_out_store.insert_deliveries(tx, [execution], give_up_after=after)
        await outbox.wake(tx)
        return await log_store.get_execution(tx, policy.id, event_id)
