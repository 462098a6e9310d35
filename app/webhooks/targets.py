"""Making the targets of a policy those that are wanted."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final, TypeVar

from app.db import Transaction
from app.vault import Sealer
from app.webhooks import policy_store
from app.webhooks.checks import format_of
from app.webhooks.confidential import keep_secrets, new_secret, secrets_of
from app.webhooks.model import Target, TargetSecrets
from app.webhooks.schemas import WebhookTargetReq

T = TypeVar("T")

_NEW: Final = Target(
    id=0,
    kind="http",
    address="",
    payload_format="Default",
    verifies_certificate=True,
    ca_certificate="",
    timeout=timedelta(seconds=10),
    is_ordered=False,
    secret_id=None,
)
"""What a target is as long as nobody says otherwise."""


async def settle_targets(
    tx: Transaction,
    sealer: Sealer,
    policy_id: int,
    *,
    present: Iterable[Target],
    wanted: Iterable[WebhookTargetReq],
) -> None:
    """Add, change and remove targets of a policy that nobody else changes.

    One of the same type and address stays what it is, with what is owed to it; what is owed to others goes.
    """
    known = {(target.kind, target.address): target for target in present}
    held = await secrets_of(tx, sealer, known.values())
    for request in wanted:
        before = known.pop((format_of(request)[0], request.address), _NEW)
        secrets = _secrets(request, held.get(before.id, TargetSecrets()))
        secret_id = await keep_secrets(tx, sealer, before.secret_id, held=secrets)
        await policy_store.upsert_target(tx, policy_id, _target(request, before, secret_id))
    await policy_store.delete_targets(tx, [target.id for target in known.values()])


def _target(wanted: WebhookTargetReq, before: Target, secret_id: int) -> Target:
    kind, payload_format = format_of(wanted)
    return Target(
        id=before.id,
        kind=kind,
        address=wanted.address,
        payload_format=payload_format,
        verifies_certificate=not wanted.skip_cert_verify,
        ca_certificate=_said(wanted.ca_certificate, before.ca_certificate),
        timeout=_said(wanted.timeout(), before.timeout),
        is_ordered=_said(wanted.is_ordered, before.is_ordered),
        secret_id=secret_id,
    )


def _secrets(wanted: WebhookTargetReq, before: TargetSecrets) -> TargetSecrets:
    return TargetSecrets(
        auth_header=wanted.auth_header,
        headers=_said(wanted.headers, before.headers),
        signing=before.signing or (new_secret(),),
    )


def _said(wanted: T | None, before: T) -> T:
    return before if wanted is None else wanted
