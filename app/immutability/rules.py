"""The rules of a project: adding, changing, removing them."""

from app.access import ProjectCall
from app.db import ForeignKeyViolation, Page
from app.events import ImmutableRuleCreated, ImmutableRuleDeleted, ImmutableRuleUpdated, outbox
from app.harbor.doublestar import BadPattern, parse
from app.harbor.errors import BadRequest, Conflict, NotFound
from app.harbor.query import ListQuery
from app.immutability import store
from app.immutability.model import MAX_RULES, Rule, Selectors
from app.resources import Resources

_NO_RULE = "the project has no such immutable tag rule"


async def list_rules(r: Resources, project_id: int, query: ListQuery) -> Page[Rule]:
    """Return a page of the project's rules."""
    async with r.database.autocommit() as statements:
        return await store.RULES.page(statements, query, project_id=project_id)


async def add_rule(r: Resources, call: ProjectCall, selectors: Selectors, *, is_disabled: bool) -> int:
    """Add a rule and return its id; pushes that are under way end before it counts.

    Raises:
        BadRequest: a pattern is none, or the project has as many rules as it can have.
        Conflict: another rule protects the same.
        NotFound: the project is gone.
    """
    _check(selectors)
    async with r.database.transaction() as tx:
        await store.take_rules(tx, call.project_id)
        if await store.count_rules(tx, call.project_id) >= MAX_RULES:
            raise BadRequest(f"a project can have {MAX_RULES} immutable tag rules; delete one first")
        if await store.find_same(tx, call.project_id, 0, selectors=selectors) is not None:
            raise Conflict("another immutable tag rule of the project protects the same tags")
        try:
            rule_id = await store.insert_rule(tx, call.project_id, selectors, is_disabled=is_disabled)
        except ForeignKeyViolation:
            raise NotFound("there is no such project") from None
        event = ImmutableRuleCreated(name=str(rule_id), project_name=call.project_name)
        await outbox.record(tx, call.cause, event)
    return rule_id


async def change_rule(r: Resources, call: ProjectCall, rule: Rule) -> None:
    """Change a rule; raise BadRequest, Conflict, or NotFound."""
    _check(rule.selectors)
    async with r.database.transaction() as tx:
        await store.take_rules(tx, call.project_id)
        if await store.find_same(tx, call.project_id, rule.id, selectors=rule.selectors) is not None:
            raise Conflict("another immutable tag rule of the project protects the same tags")
        if not await store.update_rule(tx, rule):
            raise NotFound(_NO_RULE)
        event = ImmutableRuleUpdated(name=str(rule.id), project_name=call.project_name)
        await outbox.record(tx, call.cause, event)


async def remove_rule(r: Resources, call: ProjectCall, rule_id: int) -> None:
    """Remove a rule; raise NotFound."""
    async with r.database.transaction() as tx:
        await store.take_rules(tx, call.project_id)
        if not await store.delete_rule(tx, call.project_id, rule_id):
            raise NotFound(_NO_RULE)
        event = ImmutableRuleDeleted(name=str(rule_id), project_name=call.project_name)
        await outbox.record(tx, call.cause, event)


def _check(selectors: Selectors) -> None:
    """Raise BadRequest for a pattern that could never be read."""
    tags = [selector.pattern for selector in selectors.tags]
    scopes = [selector.pattern for selector in selectors.scopes]
    for pattern in (*tags, *scopes):
        try:
            parse(pattern)
        except BadPattern:
            raise BadRequest(f"{pattern[:100]!r} is no doublestar pattern") from None
