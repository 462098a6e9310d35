"""What has become of events that policies take (Harbor's `webhook` and `webhookjob` groups)."""

from typing import Final

from aiohttp import web

from app.access import Permission
from app.access.routing import api, project_call_of
from app.harbor.query import Condition, Match
from app.http.endpoint import Id, Listed, ListParams
from app.resources import resources
from app.webhooks import logs
from app.webhooks.log_schemas import (
    Execution,
    Task,
    WebhookDelivery,
    WebhookJob,
    WebhookJobParams,
    WebhookLastTrigger,
)


async def list_webhook_executions(
    request: web.Request, webhook_policy_id: Id, query: ListParams
) -> Listed[Execution]:
    """List the events that a webhook policy took."""
    project_id = project_call_of(request).project_id
    page = await logs.list_executions(
        resources(request), project_id, webhook_policy_id, query=query.list_query()
    )
    return Listed([Execution.of(each, logs.payload_of(each, project_id)) for each in page.rows], page.total)


async def list_webhook_tasks(
    request: web.Request, webhook_policy_id: Id, *, execution_id: Id, query: ListParams
) -> Listed[Task]:
    """List the deliveries of an event, one to each target."""
    page = await logs.list_tasks(
        resources(request),
        project_call_of(request).project_id,
        webhook_policy_id,
        execution_id=execution_id,
        query=query.list_query(Condition("execution_id", Match.EXACT, (str(execution_id),))),
    )
    return Listed([Task.of(delivery) for delivery in page.rows], page.total)


async def get_webhook_task_log(
    request: web.Request, webhook_policy_id: Id, *, execution_id: Id, task_id: Id
) -> web.Response:
    """Get the attempts of a delivery, one on each line: time, status, seconds, error, start of the answer."""
    attempts = await logs.list_attempts(
        resources(request),
        project_call_of(request).project_id,
        webhook_policy_id,
        execution_id=execution_id,
        delivery_id=task_id,
    )
    text = "".join(f"{attempt.line}\n" for attempt in attempts)
    return web.Response(text=text, content_type="text/plain", headers=_AS_IT_IS)


async def list_webhook_deliveries(
    request: web.Request, webhook_policy_id: Id, query: ListParams
) -> Listed[WebhookDelivery]:
    """List what a webhook policy owes and owed: `q=status=Error,target_id=1,occurred_at=[a~b]`."""
    project_id = project_call_of(request).project_id
    page = await logs.list_deliveries(
        resources(request), project_id, webhook_policy_id, query=query.list_query()
    )
    return Listed([WebhookDelivery.of(delivery) for delivery in page.rows], page.total)


async def list_webhook_jobs(request: web.Request, query: WebhookJobParams) -> Listed[WebhookJob]:
    """List the events that a webhook policy took, as older clients read them."""
    statuses = tuple(status for status in query.status.split(",") if status)
    further = [Condition("status", Match.ANY_OF, statuses)] if statuses else []
    project_id = project_call_of(request).project_id
    page = await logs.list_executions(
        resources(request), project_id, query.policy_id, query=query.list_query(*further)
    )
    return Listed([WebhookJob.of(each, logs.payload_of(each, project_id)) for each in page.rows], page.total)


async def list_webhook_last_triggers(request: web.Request) -> list[WebhookLastTrigger]:
    """List when each webhook policy took an event of each of its types for the last time."""
    found = await logs.list_last_triggers(resources(request), project_call_of(request).project_id)
    return [WebhookLastTrigger.of(last) for last in found]


_AS_IT_IS: Final = {"X-Content-Type-Options": "nosniff"}
"""The answers of consumers are in it."""

_WEBHOOK: Final = "/projects/{project_name_or_id}/webhook"
_POLICY: Final = _WEBHOOK + "/policies/{webhook_policy_id}"
_TASKS: Final = _POLICY + "/executions/{execution_id}/tasks"
_READ: Final = Permission.NOTIFICATION_POLICY_READ
_route = api("webhook")

ROUTES: Final = (
    _route("GET", _POLICY + "/executions", list_webhook_executions, permission=_READ, errors=(400, 404)),
    _route("GET", _TASKS, list_webhook_tasks, permission=_READ, errors=(400, 404)),
    _route("GET", _TASKS + "/{task_id}/log", get_webhook_task_log, permission=_READ, errors=(404,)),
    _route("GET", _POLICY + "/deliveries", list_webhook_deliveries, permission=_READ, errors=(400, 404)),
    _route("GET", _WEBHOOK + "/lasttrigger", list_webhook_last_triggers, permission=_READ, errors=(404,)),
    api("webhookjob")(
        "GET",
        _WEBHOOK + "/jobs",
        list_webhook_jobs,
        permission=Permission.NOTIFICATION_POLICY_LIST,
        errors=(400, 404),
    ),
)
