"""Policies of a project: reading, making, changing and removing them."""

from collections.abc import Iterable

from app.access import ProjectCall
from app.db import ForeignKeyViolation, Page, Statements, Transaction, UniqueViolation
from app.events import (
    NotificationPolicyCreated,
    NotificationPolicyDeleted,
    NotificationPolicyUpdated,
    outbox,
)
from app.harbor.errors import BadRequest, Conflict, NotFound
from app.harbor.query import ListQuery
from app.resources import Resources
from app.webhooks import policy_store
from app.webhooks.checks import check_policy, check_reach
from app.webhooks.confidential import secrets_of
from app.webhooks.model import MAX_POLICIES, EventFilter, Policy, TargetSecrets, Terms
from app.webhooks.schemas import WebhookPolicyReq
from app.webhooks.targets import settle_targets


async def list_policies(r: Resources, project_id: int, query: ListQuery) -> Page[Policy]:
    """Return a page of the project's policies."""
    async with r.database.autocommit() as statements:
        return await policy_store.POLICIES.page(statements, query, project_id=project_id)


async def get_policy(r: Resources, project_id: int, policy_id: int) -> Policy:
    """Return a policy; raise NotFound."""
    async with r.database.autocommit() as statements:
        return await require_policy(statements, project_id, policy_id)


async def require_policy(statements: Statements, project_id: int, policy_id: int) -> Policy:
    """Return the same in a transaction of the caller's."""
    return _there(await policy_store.find_policy(statements, project_id, policy_id))


async def lock_policy(tx: Transaction, project_id: int, policy_id: int) -> Policy:
    """Return a policy that nobody else changes until `tx` ends, nor its targets; raise NotFound."""
    return _there(await policy_store.lock_policy(tx, project_id, policy_id))


async def get_secrets(r: Resources, policies: Iterable[Policy]) -> dict[int, TargetSecrets]:
    """Return what must not be seen of the policies' targets, by target."""
    async with r.database.autocommit() as statements:
        return await secrets_of(statements, r.sealer, (t for policy in policies for t in policy.targets))


async def create_policy(r: Resources, call: ProjectCall, wanted: WebhookPolicyReq) -> int:
    """Make a policy and return its id.

    Raises:
        BadRequest: what is wrong with it, or the project has as many as it can have.
        Conflict: the name is taken.
        NotFound: the project is gone.
    """
    check_policy(wanted)
    check_reach(wanted.targets, r.caller)
    try:
        async with r.database.transaction() as tx:
            await policy_store.lock_policies(tx, call.project_id)
            if await policy_store.count_policies(tx, call.project_id) >= MAX_POLICIES:
                raise BadRequest(f"a project has {MAX_POLICIES} webhook policies at most; delete one first")
            terms = _terms(wanted, ())
            policy_id = await policy_store.insert_policy(
                tx, call.project_id, call.cause.username, terms=terms
            )
            await settle_targets(tx, r.sealer, policy_id, present=(), wanted=wanted.targets)
            event = NotificationPolicyCreated(name=wanted.name, project_name=call.project_name)
            await outbox.record(tx, call.cause, event)
    except UniqueViolation:
        raise _taken(wanted) from None
    except ForeignKeyViolation:
        raise NotFound("there is no such project") from None
    return policy_id


async def update_policy(r: Resources, call: ProjectCall, policy_id: int, *, wanted: WebhookPolicyReq) -> None:
    """Change a policy; raise BadRequest, Conflict or NotFound."""
    check_policy(wanted)
    try:
        async with r.database.transaction() as tx:
            policy = await lock_policy(tx, call.project_id, policy_id)
            check_reach(wanted.targets, r.caller, policy.targets)
            await policy_store.update_policy(tx, policy_id, _terms(wanted, policy.filters))
            await settle_targets(tx, r.sealer, policy_id, present=policy.targets, wanted=wanted.targets)
            event = NotificationPolicyUpdated(name=wanted.name, project_name=call.project_name)
            await outbox.record(tx, call.cause, event)
    except UniqueViolation:
        raise _taken(wanted) from None


async def delete_policy(r: Resources, call: ProjectCall, policy_id: int) -> None:
    """Remove a policy with all that is owed by it; raise NotFound."""
    async with r.database.transaction() as tx:
        policy = await lock_policy(tx, call.project_id, policy_id)
        await policy_store.delete_policy(tx, policy_id)
        event = NotificationPolicyDeleted(name=policy.name, project_name=call.project_name)
        await outbox.record(tx, call.cause, event)


def _there(policy: Policy | None) -> Policy:
    if policy is None:
        raise NotFound("the project has no such webhook policy")
    return policy


def _terms(wanted: WebhookPolicyReq, filters: tuple[EventFilter, ...]) -> Terms:
    """Return what is wanted, with these filters where nothing is said of any."""
    given = wanted.event_filters()
    return Terms(
        name=wanted.name,
        description=wanted.description,
        event_types=tuple(dict.fromkeys(wanted.event_types)),
        filters=filters if given is None else given,
        is_enabled=wanted.enabled,
    )


def _taken(wanted: WebhookPolicyReq) -> Conflict:
    return Conflict(f"the project has a webhook policy {wanted.name} already")
