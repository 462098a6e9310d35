"""What has become of the events that a policy takes: executions, tasks, attempts."""

from typing import Final

import msgspec

from app.db import Page, Statements
from app.harbor.errors import NotFound
from app.harbor.query import Condition, ListQuery, Match
from app.resources import Resources
from app.webhooks import log_store
from app.webhooks.event_model import EventData
from app.webhooks.formats import Notice, render
from app.webhooks.log_model import Attempt, Delivery, Execution, LastTrigger
from app.webhooks.policies import get_policy

_NO_EXECUTION: Final = "the policy has no such execution"
_NO_DELIVERY: Final = "the execution has no such task"


async def list_executions(
    r: Resources, project_id: int, policy_id: int, *, query: ListQuery
) -> Page[Execution]:
    """Return a page of the events that a policy took; raise NotFound."""
    await get_policy(r, project_id, policy_id)
    async with r.database.autocommit() as statements:
        return await log_store.EXECUTIONS.page(statements, query, policy_id=policy_id)


async def list_deliveries(
    r: Resources, project_id: int, policy_id: int, *, query: ListQuery
) -> Page[Delivery]:
    """Return a page of what was or is owed by a policy; raise NotFound."""
    await get_policy(r, project_id, policy_id)
    async with r.database.autocommit() as statements:
        return await log_store.DELIVERIES.page(statements, query, policy_id=policy_id)


async def require_execution(statements: Statements, policy_id: int, execution_id: int) -> None:
    """Raise NotFound unless the policy took that event."""
    if not await log_store.has_execution(statements, policy_id, execution_id):
        raise NotFound(_NO_EXECUTION)


async def list_tasks(
    r: Resources, project_id: int, policy_id: int, *, execution_id: int, query: ListQuery
) -> Page[Delivery]:
    """Return a page of the deliveries of an event, which `query` names; raise NotFound."""
    await get_policy(r, project_id, policy_id)
    async with r.database.autocommit() as statements:
        await require_execution(statements, policy_id, execution_id)
        return await log_store.DELIVERIES.page(statements, query, policy_id=policy_id)


async def list_attempts(
    r: Resources, project_id: int, policy_id: int, *, execution_id: int, delivery_id: int
) -> list[Attempt]:
    """Return the attempts of a delivery; raise NotFound."""
    wanted = (
        Condition("execution_id", Match.EXACT, (str(execution_id),)),
        Condition("id", Match.EXACT, (str(delivery_id),)),
    )
    page = await list_deliveries(r, project_id, policy_id, query=ListQuery(wanted))
    if not page.rows:
        raise NotFound(_NO_DELIVERY)
    async with r.database.autocommit() as statements:
        return await log_store.list_attempts(statements, delivery_id)


async def list_last_triggers(r: Resources, project_id: int) -> list[LastTrigger]:
    """Return when each policy of the project took an event of each of its types for the last time."""
    async with r.database.autocommit() as statements:
        return await log_store.list_last_triggers(statements, project_id)


def payload_of(execution: Execution, project_id: int) -> str:
    """Return what is posted to targets that take the format Default."""
    notice = Notice(
        event_id=execution.event_id,
        event_type=execution.event_type,
        occurred_at=execution.occurred_at,
        operator=execution.operator,
        request_id=execution.request_id,
        project_id=project_id,
        policy_id=execution.policy_id,
        data=msgspec.convert(execution.data, EventData),
    )
    return render("http", "Default", notice).body.decode()
