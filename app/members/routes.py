"""Members of a project (Harbor's `member` group)."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from app.access import Permission
from app.access.routing import API, api, project_call_of
from app.harbor.query import Condition, Match
from app.http.endpoint import Created, Id, Listed, ListParams
from app.members import membership
from app.members.schemas import ProjectMember, ProjectMemberEntity, RoleRequest
from app.resources import resources


class MemberListParams(ListParams, frozen=True):
    """Which members."""

    entityname: Annotated[str, Meta(max_length=255, description="Part of the name of the user or group.")] = (
        ""
    )


async def list_members(request: web.Request, query: MemberListParams) -> Listed[ProjectMemberEntity]:
    """List the members of a project."""
    named = Condition("entity_name", Match.FUZZY, (query.entityname,))
    wanted = query.list_query(*([named] if query.entityname else []))
    page = await membership.list_members(resources(request), project_call_of(request).project_id, wanted)
    return Listed([ProjectMemberEntity.of(member) for member in page.rows], page.total)


async def create_member(request: web.Request, body: ProjectMember) -> Created[None]:
    """Give a user or a group a role in the project."""
    call = project_call_of(request)
    member_id = await membership.add_member(resources(request), call, body)
    return Created(f"{API}/projects/{call.project_id}/members/{member_id}")


async def get_member(request: web.Request, mid: Id) -> ProjectMemberEntity:
    """Get a member."""
    project_id = project_call_of(request).project_id
    return ProjectMemberEntity.of(await membership.get_member(resources(request), project_id, mid))


async def update_member(request: web.Request, mid: Id, body: RoleRequest) -> None:
    """Give a member another role."""
    role = membership.role_of(body.role_id)
    await membership.change_role(resources(request), project_call_of(request), mid, role=role)


async def delete_member(request: web.Request, mid: Id) -> None:
    """Take a member out of the project."""
    await membership.remove_member(resources(request), project_call_of(request), mid)


_MEMBERS: Final = "/projects/{project_name_or_id}/members"
_route = api("member")

ROUTES: Final = (
    _route("GET", _MEMBERS, list_members, permission=Permission.MEMBER_LIST, errors=(400, 404)),
    _route("POST", _MEMBERS, create_member, permission=Permission.MEMBER_CREATE, errors=(400, 404, 409)),
    _route("GET", _MEMBERS + "/{mid}", get_member, permission=Permission.MEMBER_READ, errors=(400, 404)),
    _route("PUT", _MEMBERS + "/{mid}", update_member, permission=Permission.MEMBER_UPDATE, errors=(400, 404)),
    _route(
        "DELETE", _MEMBERS + "/{mid}", delete_member, permission=Permission.MEMBER_DELETE, errors=(400, 404)
    ),
)
