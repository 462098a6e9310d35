"""How the targets of webhook policies fare, their secrets, and what is sent to them once more."""

from datetime import timedelta
from typing import Final

from aiohttp import web

from app.access import Permission
from app.access.routing import api, project_call_of
from app.http.endpoint import Id
from app.resources import resources
from app.webhooks import repair, rotate
from app.webhooks.confidential import fingerprint
from app.webhooks.probe import send_test
from app.webhooks.target_schemas import (
    RotateParams,
    WebhookReplayed,
    WebhookReplayReq,
    WebhookSecret,
    WebhookSecretInfo,
    WebhookTargetState,
    WebhookTested,
)


async def list_webhook_targets(request: web.Request, webhook_policy_id: Id) -> list[WebhookTargetState]:
    """List how the targets of a webhook policy fare, and what is owed to them."""
    project_id = project_call_of(request).project_id
    states = await repair.list_states(resources(request), project_id, webhook_policy_id)
    return [WebhookTargetState.of(state) for state in states]


async def pause_webhook_target(request: web.Request, webhook_policy_id: Id, target_id: Id) -> None:
    """Let what is owed to a target wait until somebody resumes it."""
    call = project_call_of(request)
    await repair.pause_target(resources(request), call, webhook_policy_id, target_id=target_id)


async def resume_webhook_target(request: web.Request, webhook_policy_id: Id, target_id: Id) -> None:
    """Send a target now what waits for it, whether it was paused or failed."""
    call = project_call_of(request)
    await repair.resume_target(resources(request), call, webhook_policy_id, target_id=target_id)


async def list_webhook_secrets(
    request: web.Request, webhook_policy_id: Id, target_id: Id
) -> list[WebhookSecretInfo]:
    """List the secrets that deliveries to a target are signed with, by their fingerprints."""
    project_id = project_call_of(request).project_id
    found = await rotate.list_signing_secrets(
        resources(request), project_id, webhook_policy_id, target_id=target_id
    )
    return [WebhookSecretInfo(fingerprint(each), each.expires_at) for each in found]


async def rotate_webhook_secret(
    request: web.Request, webhook_policy_id: Id, *, target_id: Id, query: RotateParams
) -> WebhookSecret:
    """Make a new secret to sign with, and show it this once; the one before signs, too, for a while."""
    made = await rotate.rotate_signing_secret(
        resources(request),
        project_call_of(request),
        webhook_policy_id,
        target_id=target_id,
        overlap=timedelta(seconds=query.overlap_seconds),
    )
    return WebhookSecret(made.secret, fingerprint(made))


async def test_webhook_policy(request: web.Request, webhook_policy_id: Id) -> WebhookTested:
    """Post an event of the type TEST to every target of a webhook policy."""
    call = project_call_of(request)
    return WebhookTested(await send_test(resources(request), call, webhook_policy_id))


async def stop_webhook_execution(request: web.Request, webhook_policy_id: Id, execution_id: Id) -> None:
    """Owe nothing any more because of an event."""
    call = project_call_of(request)
    await repair.stop_execution(resources(request), call, webhook_policy_id, execution_id=execution_id)


async def replay_webhook_delivery(request: web.Request, webhook_policy_id: Id, delivery_id: Id) -> None:
    """Send a delivery once more, with the same `webhook-id`."""
    call = project_call_of(request)
    await repair.replay_delivery(resources(request), call, webhook_policy_id, delivery_id=delivery_id)


async def replay_webhook_deliveries(
    request: web.Request, webhook_policy_id: Id, body: WebhookReplayReq
) -> WebhookReplayed:
    """Send once more what is over, of events that happened from one moment to another."""
    call = project_call_of(request)
    count = await repair.replay_deliveries(resources(request), call, webhook_policy_id, wanted=body)
    return WebhookReplayed(count)


_POLICY: Final = "/projects/{project_name_or_id}/webhook/policies/{webhook_policy_id}"
_TARGET: Final = _POLICY + "/targets/{target_id}"
_READ: Final = Permission.NOTIFICATION_POLICY_READ
_UPDATE: Final = Permission.NOTIFICATION_POLICY_UPDATE
_route = api("webhook")

ROUTES: Final = (
    _route("GET", _POLICY + "/targets", list_webhook_targets, permission=_READ, errors=(404,)),
    _route("POST", _TARGET + "/pause", pause_webhook_target, permission=_UPDATE, errors=(404,)),
    _route("POST", _TARGET + "/resume", resume_webhook_target, permission=_UPDATE, errors=(404,)),
    _route("GET", _TARGET + "/secret", list_webhook_secrets, permission=_READ, errors=(404, 409)),
    _route("POST", _TARGET + "/secret", rotate_webhook_secret, permission=_UPDATE, errors=(404, 409)),
    _route("POST", _POLICY + "/test", test_webhook_policy, permission=_UPDATE, errors=(400, 404)),
    _route(
        "POST",
        _POLICY + "/executions/{execution_id}/stop",
        stop_webhook_execution,
        permission=_UPDATE,
        errors=(404,),
    ),
    _route(
        "POST",
        _POLICY + "/deliveries/{delivery_id}/replay",
        replay_webhook_delivery,
        permission=_UPDATE,
        errors=(404,),
    ),
    _route("POST", _POLICY + "/replay", replay_webhook_deliveries, permission=_UPDATE, errors=(400, 404)),
)
