"""Users (Harbor's `user` group)."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from app.access import Permission, ProjectCall
from app.access.routing import API, AUTHORITY, actor_of, api, require
from app.harbor.errors import Forbidden, PreconditionFailed
from app.harbor.query import Condition, Match
from app.http.endpoint import Created, Id, Listed, ListParams, PageParams
from app.resources import resources
from app.users import profiles
from app.users.permissions import permissions_in, project_in
from app.users.schemas import (
    OIDCCliSecretReq,
    Part,
    PasswordReq,
    PermissionItem,
    Text,
    UserCreationReq,
    UserProfile,
    UserResp,
    UserSearchRespItem,
    UserSysAdminFlag,
)


class UserListParams(ListParams, frozen=True):
    """Which users."""

    username: Annotated[Part, Meta(description="Part of the name.")] = ""
    email: Annotated[Part, Meta(description="Part of the e-mail address.")] = ""


class UserSearchParams(PageParams, frozen=True, kw_only=True):
    """Whom to look for."""

    username: Annotated[Part, Meta(description="Part of the name.")]


class PermissionParams(Struct, frozen=True):
    """Where, and how to name it."""

    scope: Annotated[Text, Meta(description="`/project/` and the project's id, or `/system`.")] = ""
    relative: Annotated[bool, Meta(description="Name resources from the scope on.")] = False


async def list_users(request: web.Request, query: UserListParams) -> Listed[UserResp]:
    """List the users."""
    parts = {"username": query.username, "email": query.email}
    named = [Condition(name, Match.FUZZY, (part,)) for name, part in parts.items() if part]
    page = await profiles.list_users(resources(request), query.list_query(*named))
    return Listed([UserResp.of(user) for user in page.rows], page.total)


async def search_users(request: web.Request, query: UserSearchParams) -> Listed[UserSearchRespItem]:
    """Look for users by a part of their name."""
    wanted = query.page_query(Condition("username", Match.FUZZY, (query.username,)))
    page = await profiles.list_users(resources(request), wanted)
    return Listed([UserSearchRespItem(user.id, user.username) for user in page.rows], page.total)


async def create_user(request: web.Request, body: UserCreationReq) -> Created[None]:
    """Make a user."""
    call = await require(request, Permission.SYSTEM_USER_CREATE)
    return Created(f"{API}/users/{await profiles.register(resources(request), call, body)}")


async def get_current_user(request: web.Request) -> UserResp:
    """Get the user who asks."""
    call = await require(request, Permission.LOGIN)
    return UserResp.of(await profiles.get_current_user(resources(request), call))


async def get_current_permissions(request: web.Request, query: PermissionParams) -> list[PermissionItem]:
    """List what the caller may do in a project or on the system."""
    call = await require(request, Permission.LOGIN, project_id=project_in(query.scope))
    return permissions_in(query.scope, call.standing, is_relative=query.relative)


async def get_user(request: web.Request, user_id: Id) -> UserResp:
    """Get a user: oneself, or as an administrator anybody."""
    await _call(request, user_id, Permission.SYSTEM_USER_READ)
    return UserResp.of(await profiles.get_user(resources(request), user_id))


async def update_user(request: web.Request, user_id: Id, body: UserProfile) -> None:
    """Change e-mail address, real name and comment."""
    call = await _call(request, user_id, Permission.SYSTEM_USER_UPDATE)
    await profiles.change_profile(resources(request), call, user_id, wanted=body)


async def delete_user(request: web.Request, user_id: Id) -> None:
    """Remove a user."""
    call = await require(request, Permission.SYSTEM_USER_DELETE)
    await profiles.remove_user(resources(request), call, user_id)


async def set_user_sysadmin(request: web.Request, user_id: Id, body: UserSysAdminFlag) -> None:
    """Make a user an administrator of the system, or not."""
    call = await require(request, Permission.SYSTEM_USER_UPDATE)
    await profiles.set_sysadmin(resources(request), call, user_id, is_sysadmin=body.sysadmin_flag)


async def update_user_password(request: web.Request, user_id: Id, body: PasswordReq) -> None:
    """Change a password: one's own with the old one, or as an administrator anybody's."""
    call = await _call(request, user_id, Permission.SYSTEM_USER_UPDATE)
    if call.actor.user_id == user_id and not await request.app[AUTHORITY].confirms(
        request, call.actor, body.old_password
    ):
        raise Forbidden("old_password: this is not your password")
    await profiles.change_password(resources(request), call, user_id, new_password=body.new_password)


async def set_cli_secret(
    _request: web.Request,
    user_id: Id,  # noqa: ARG001 - Harbor's path has it
    body: OIDCCliSecretReq,  # noqa: ARG001 - Harbor's clients send it
) -> None:
    """Set a secret for the command line; only for users of an identity provider, of which there are none."""
    raise PreconditionFailed(
        "users log in with their password here: there are no secrets for the command line"
    )


async def _call(request: web.Request, user_id: int, permission: Permission) -> ProjectCall:
    """Check a permission on users, which everybody has on himself."""
    is_own = actor_of(request).user_id == user_id
    return await require(request, Permission.LOGIN if is_own else permission)


_USER: Final = "/users/{user_id}"
_route = api("user")

ROUTES: Final = (
    _route("GET", "/users", list_users, permission=Permission.SYSTEM_USER_LIST),
    _route("POST", "/users", create_user, permission=Permission.SYSTEM_USER_CREATE, errors=(409,)),
    _route("GET", "/users/search", search_users, permission=Permission.LOGIN),
    _route("GET", "/users/current", get_current_user, permission=Permission.LOGIN, errors=(404, 412)),
    _route("GET", "/users/current/permissions", get_current_permissions, permission=Permission.LOGIN),
    _route("GET", _USER, get_user, permission=Permission.LOGIN, errors=(404,)),
    _route("PUT", _USER, update_user, permission=Permission.LOGIN, errors=(404, 409)),
    _route("DELETE", _USER, delete_user, permission=Permission.SYSTEM_USER_DELETE, errors=(404,)),
    _route(
        "PUT", _USER + "/sysadmin", set_user_sysadmin, permission=Permission.SYSTEM_USER_UPDATE, errors=(404,)
    ),
    _route("PUT", _USER + "/password", update_user_password, permission=Permission.LOGIN, errors=(404, 409)),
    _route("PUT", _USER + "/cli_secret", set_cli_secret, permission=Permission.LOGIN, errors=(412,)),
)
