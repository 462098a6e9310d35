"""Groups of users (Harbor's `usergroup` group)."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from app.access import Permission
from app.access.routing import API, api, require
from app.harbor.query import Condition, Match
from app.http.endpoint import Created, Id, Listed, ListParams, PageParams
from app.resources import resources
from app.users import groups
from app.users.schemas import Part, Text, UserGroup, UserGroupReq, UserGroupSearchItem


class UserGroupListParams(ListParams, frozen=True):
    """Which groups."""

    group_name: Annotated[Part, Meta(description="Part of the name.")] = ""
    ldap_group_dn: Annotated[Text, Meta(description="Place in the directory.")] = ""


class UserGroupSearchParams(PageParams, frozen=True, kw_only=True):
    """Whom to look for."""

    groupname: Annotated[str, Meta(min_length=1, max_length=255, description="Part of the name.")]


async def list_user_groups(request: web.Request, query: UserGroupListParams) -> Listed[UserGroup]:
    """List the groups."""
    named = Condition("group_name", Match.FUZZY, (query.group_name,))
    placed = Condition("ldap_group_dn", Match.EXACT, (query.ldap_group_dn,))
    wanted = query.list_query(
        *([named] if query.group_name else []), *([placed] if query.ldap_group_dn else [])
    )
    page = await groups.list_groups(resources(request), wanted)
    return Listed([UserGroup.of(group) for group in page.rows], page.total)


async def search_user_groups(
    request: web.Request, query: UserGroupSearchParams
) -> Listed[UserGroupSearchItem]:
    """Look for groups by a part of their name."""
    wanted = query.page_query(Condition("group_name", Match.FUZZY, (query.groupname,)))
    page = await groups.list_groups(resources(request), wanted)
    found = [UserGroupSearchItem(group.id, group.name, group.kind.number) for group in page.rows]
    return Listed(found, page.total)


async def create_user_group(request: web.Request, body: UserGroupReq) -> Created[None]:
    """Make a group of a directory known."""
    call = await require(request, Permission.SYSTEM_USER_GROUP_CREATE)
    return Created(f"{API}/usergroups/{await groups.create_group(resources(request), call, body)}")


async def get_user_group(request: web.Request, group_id: Id) -> UserGroup:
    """Get a group."""
    return UserGroup.of(await groups.get_group(resources(request), group_id))


async def update_user_group(request: web.Request, group_id: Id, body: UserGroupReq) -> None:
    """Give a group another name; the rest stays as it is."""
    call = await require(request, Permission.SYSTEM_USER_GROUP_UPDATE)
    await groups.rename_group(resources(request), call, group_id, name=body.group_name)


async def delete_user_group(request: web.Request, group_id: Id) -> None:
    """Remove a group, and the roles that projects gave it."""
    call = await require(request, Permission.SYSTEM_USER_GROUP_DELETE)
    await groups.remove_group(resources(request), call, group_id)


_GROUP: Final = "/usergroups/{group_id}"
_route = api("usergroup")

ROUTES: Final = (
    _route("GET", "/usergroups", list_user_groups, permission=Permission.SYSTEM_USER_GROUP_LIST),
    _route(
        "POST",
        "/usergroups",
        create_user_group,
        permission=Permission.SYSTEM_USER_GROUP_CREATE,
        errors=(409,),
    ),
    _route("GET", "/usergroups/search", search_user_groups, permission=Permission.LOGIN),
    _route("GET", _GROUP, get_user_group, permission=Permission.SYSTEM_USER_GROUP_READ, errors=(404,)),
    _route(
        "PUT", _GROUP, update_user_group, permission=Permission.SYSTEM_USER_GROUP_UPDATE, errors=(404, 409)
    ),
    _route(
        "DELETE", _GROUP, delete_user_group, permission=Permission.SYSTEM_USER_GROUP_DELETE, errors=(404,)
    ),
)
