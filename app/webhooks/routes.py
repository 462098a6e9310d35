"""Policies of webhooks of a project (Harbor's `webhook` group)."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from app.access import Permission
from app.access.routing import API, api, project_call_of, standing_of
from app.http.endpoint import Created, Id, Listed, ListParams
from app.resources import resources
from app.webhooks import model, policies
from app.webhooks.event_types import TYPES
from app.webhooks.model import FORMATS
from app.webhooks.schemas import (
    PayloadFormats,
    SupportedWebhookEventTypes,
    WebhookPolicy,
    WebhookPolicyReq,
)


async def list_webhook_policies(request: web.Request, query: ListParams) -> Listed[WebhookPolicy]:
    """List the webhook policies of a project."""
    project_id = project_call_of(request).project_id
    page = await policies.list_policies(resources(request), project_id, query.list_query())
    return Listed(await _shown(request, page.rows), page.total)


async def create_webhook_policy(request: web.Request, body: WebhookPolicyReq) -> Created[None]:
    """Have events of a project posted to somebody."""
    call = project_call_of(request)
    policy_id = await policies.create_policy(resources(request), call, body)
    return Created(f"{API}/projects/{call.project_id}/webhook/policies/{policy_id}")


async def get_webhook_policy(request: web.Request, webhook_policy_id: Id) -> WebhookPolicy:
    """Get a webhook policy."""
    project_id = project_call_of(request).project_id
    policy = await policies.get_policy(resources(request), project_id, webhook_policy_id)
    (shown,) = await _shown(request, [policy])
    return shown


async def update_webhook_policy(request: web.Request, webhook_policy_id: Id, body: WebhookPolicyReq) -> None:
    """Change a webhook policy.

    A target of the same type and address stays what it is: its id, its signing secrets, and what is owed to
    it. What is owed to a target that is not named any more goes with it.
    """
    await policies.update_policy(resources(request), project_call_of(request), webhook_policy_id, wanted=body)


async def delete_webhook_policy(request: web.Request, webhook_policy_id: Id) -> None:
    """Delete a webhook policy, with what is owed by it."""
    await policies.delete_policy(resources(request), project_call_of(request), webhook_policy_id)


async def get_webhook_event_types(_request: web.Request) -> SupportedWebhookEventTypes:
    """List what webhook policies can name: types of events, types of targets, formats."""
    return SupportedWebhookEventTypes(
        event_type=[kind.name for kind in TYPES],
        notify_type=list(FORMATS),
        payload_formats=[PayloadFormats("http", FORMATS["http"])],
    )


async def _shown(request: web.Request, found: Sequence[model.Policy]) -> list[WebhookPolicy]:
    """Return policies as the caller may see them, asked for after a statement proved who that is."""
    may_see = standing_of(request).may(Permission.NOTIFICATION_POLICY_UPDATE)
    secrets = await policies.get_secrets(resources(request), found) if may_see else {}
    return [WebhookPolicy.of(policy, secrets) for policy in found]


_WEBHOOK: Final = "/projects/{project_name_or_id}/webhook"
_POLICIES: Final = _WEBHOOK + "/policies"
_POLICY: Final = _POLICIES + "/{webhook_policy_id}"
_route = api("webhook")

ROUTES: Final = (
    _route(
        "GET",
        _POLICIES,
        list_webhook_policies,
        permission=Permission.NOTIFICATION_POLICY_LIST,
        errors=(400, 404),
    ),
    _route(
        "POST",
        _POLICIES,
        create_webhook_policy,
        permission=Permission.NOTIFICATION_POLICY_CREATE,
        errors=(400, 404, 409),
    ),
    _route(
        "GET",
        _POLICY,
        get_webhook_policy,
        permission=Permission.NOTIFICATION_POLICY_READ,
        errors=(400, 404),
    ),
    _route(
        "PUT",
        _POLICY,
        update_webhook_policy,
        permission=Permission.NOTIFICATION_POLICY_UPDATE,
        errors=(400, 404, 409),
    ),
    _route(
        "DELETE",
        _POLICY,
        delete_webhook_policy,
        permission=Permission.NOTIFICATION_POLICY_DELETE,
        errors=(400, 404),
    ),
    _route(
        "GET",
        _WEBHOOK + "/events",
        get_webhook_event_types,
        permission=Permission.NOTIFICATION_POLICY_READ,
        errors=(404,),
    ),
)
