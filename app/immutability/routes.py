"""Rules of immutability of a project (Harbor's `immutable` group)."""

from typing import Final

from aiohttp import web

from app.access import Permission
from app.access.routing import API, api, project_call_of
from app.http.endpoint import Created, Id, Listed, ListParams
from app.immutability import rules
from app.immutability.schemas import ImmutableRule
from app.resources import resources


async def list_immutable_rules(request: web.Request, query: ListParams) -> Listed[ImmutableRule]:
    """List the immutable tag rules of a project."""
    project_id = project_call_of(request).project_id
    page = await rules.list_rules(resources(request), project_id, query.list_query())
    return Listed([ImmutableRule.of(rule) for rule in page.rows], page.total)


async def create_immutable_rule(request: web.Request, body: ImmutableRule) -> Created[None]:
    """Protect tags from being moved and deleted."""
    call = project_call_of(request)
    rule_id = await rules.add_rule(resources(request), call, body.selectors(), is_disabled=body.disabled)
    return Created(f"{API}/projects/{call.project_id}/immutabletagrules/{rule_id}")


async def update_immutable_rule(request: web.Request, immutable_rule_id: Id, body: ImmutableRule) -> None:
    """Change what a rule protects, or switch it off."""
    call = project_call_of(request)
    await rules.change_rule(resources(request), call, body.rule(immutable_rule_id, call.project_id))


async def delete_immutable_rule(request: web.Request, immutable_rule_id: Id) -> None:
    """Delete a rule."""
    await rules.remove_rule(resources(request), project_call_of(request), immutable_rule_id)


_RULES: Final = "/projects/{project_name_or_id}/immutabletagrules"
_RULE: Final = _RULES + "/{immutable_rule_id}"
_route = api("immutable")

ROUTES: Final = (
    _route(
        "GET",
        _RULES,
        list_immutable_rules,
        permission=Permission.IMMUTABLE_TAG_LIST,
        errors=(400, 404),
    ),
    _route(
        "POST",
        _RULES,
        create_immutable_rule,
        permission=Permission.IMMUTABLE_TAG_CREATE,
        errors=(400, 404, 409),
    ),
    _route(
        "PUT",
        _RULE,
        update_immutable_rule,
        permission=Permission.IMMUTABLE_TAG_UPDATE,
        errors=(400, 404, 409),
    ),
    _route(
        "DELETE",
        _RULE,
        delete_immutable_rule,
        permission=Permission.IMMUTABLE_TAG_DELETE,
        errors=(400, 404),
    ),
)
