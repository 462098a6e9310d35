"""The secrets that deliveries to a target are signed with, and another one in their place."""

from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec.structs import replace

from app.access import ProjectCall
from app.events import NotificationPolicyUpdated, outbox
from app.harbor.errors import Conflict
from app.resources import Resources
from app.webhooks.confidential import keep_secrets, new_secret, secrets_of
from app.webhooks.model import SigningSecret, Target, TargetSecrets
from app.webhooks.policies import get_policy, lock_policy

_UNREADABLE: Final = (
    "the secrets of this target were encrypted with a key that is not set any more: set it, or store the "
    "policy once more, which makes new ones"
)


async def list_signing_secrets(
    r: Resources, project_id: int, policy_id: int, *, target_id: int
) -> list[SigningSecret]:
    """Return the secrets that sign at this moment, that in force first; raise NotFound or Conflict."""
    policy = await get_policy(r, project_id, policy_id)
    target = policy.target(target_id)
    async with r.database.autocommit() as statements:
        held = _readable(await secrets_of(statements, r.sealer, [target]), target)
    return [each for each in held.signing if each.expires_at is None or each.expires_at > datetime.now(UTC)]


async def rotate_signing_secret(
    r: Resources, call: ProjectCall, policy_id: int, *, target_id: int, overlap: timedelta
) -> SigningSecret:
    """Put a new secret in force and return it; the one before signs, too, until the overlap is over.

    One that nobody has seen ends at once: there is no consumer that knows it.

    Raises:
        NotFound: there is no such policy or target.
        Conflict: what is stored of the target cannot be read.
    """
    made, ends_at = replace(new_secret(), is_seen=True), datetime.now(UTC) + overlap
    async with r.database.transaction() as tx:
        policy = await lock_policy(tx, call.project_id, policy_id)
        target = policy.target(target_id)
        held = _readable(await secrets_of(tx, r.sealer, [target]), target)
        before = tuple(
            replace(each, expires_at=ends_at) for each in held.signing[:1] if overlap and each.is_seen
        )
        signing = replace(held, signing=(made, *before))
        await keep_secrets(tx, r.sealer, target.secret_id, held=signing)
        event = NotificationPolicyUpdated(policy.name, call.project_name, changed="signing secret")
        await outbox.record(tx, call.cause, event)
    return made


def _readable(found: dict[int, TargetSecrets], target: Target) -> TargetSecrets:
    if target.id not in found:
        raise Conflict(_UNREADABLE)
    return found[target.id]
