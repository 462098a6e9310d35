"""Routes that say which permission they need, and the guard in front of every handler."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol
from urllib.parse import unquote

from aiohttp import web
from msgspec import Struct

from app.access.actor import Actor, Call, ProjectCall
from app.access.permission import Permission
from app.access.standing import Standing
from app.db import Check, Precondition, under
from app.events import Cause
from app.harbor.errors import ApiError, Denied, NotFound
from app.http import client_address, request_id
from app.http.endpoint import Handler, Operation, handler_of, operation_of
from app.oci.errors import OciError
from app.oci.names import MAX_NAME_LENGTH, RepositoryName

API: Final = "/api/v2.0"

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_READ_ONLY: Final = "The system is in read only mode. Any modification is prohibited."


class Route(Struct, frozen=True):
    """One method on one path. There is no way to leave the permission out.

    `operation` describes an endpoint of the management API, `shown` one of the registry's own API that is not
    in the spec, `tag` the group that it is shown in, `errors` the statuses that it can answer beyond those
    that every endpoint has. `works_read_only` is for what changes something and must also work while the
    system is read only.
    """

    method: str
    path: str
    handler: Handler
    permission: Permission
    operation: Operation | None = None
    shown: Operation | None = None
    tag: str = ""
    errors: tuple[int, ...] = ()
    works_read_only: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that it is mounted at: Harbor takes a slash at the end, and its clients send one."""
        bare = self.path.rstrip("/")
        return (self.path,) if self.operation is None else (bare, f"{bare}/")


def api(tag: str) -> Callable[..., Route]:
    """Return the maker of a slice's routes of the management API, all shown under one tag."""

    def route(
        method: str,
        path: str,
        function: Callable[..., Awaitable[Any]],
        *,
        permission: Permission,
        errors: tuple[int, ...] = (),
        works_read_only: bool = False,
    ) -> Route:
        operation = operation_of(function)
        return Route(
            method,
            f"{API}{path}",
            handler_of(operation),
            permission,
            operation=operation,
            tag=tag,
            errors=errors,
            works_read_only=works_read_only,
        )

    return route


class ProjectKey(Struct, frozen=True):
    """How a request names a project: by id, else by name."""

    id: int = 0
    name: str = ""


class Authority(Protocol):
    """Who knows callers and their rights: `app.auth`, joined in by `app.main`."""

    async def identify(self, request: web.Request) -> Actor:
        """Return the caller; raise Unauthorized for wrong or expired credentials."""

    async def confirms(self, request: web.Request, actor: Actor, password: str) -> bool:
        """Whether this is the caller's password; raise TooManyRequests or SlowDown after too many guesses."""

    def remembered(self, actor: Actor, project: ProjectKey | None) -> tuple[Standing, Check] | None:
        """Return what the caller was a moment ago, and the check that it still is."""

    async def prove(self) -> None:
        """Prove that the caller still is what was remembered, unless a statement of the request did."""

    async def standing(self, actor: Actor, project: ProjectKey | None = None) -> Standing:
        """Return what the caller is now, in the installation and in the project."""

    def allows(
        self, actor: Actor, permission: Permission, *, standing: Standing, repository: str | None = None
    ) -> bool:
        """Whether the caller may; the same answer for what is forbidden and what is not there."""

    async def pullable(self, actor: Actor, repositories: list[str]) -> list[str]:
        """Return those repositories that the person behind the request may pull from."""

    def refuse(
        self, request: web.Request, actor: Actor, *, permission: Permission, repository: str | None
    ) -> Exception:
        """Return the error to raise: a challenge for who can still authenticate, else a refusal."""


AUTHORITY: Final = web.AppKey[Authority]("authority")
_ACTOR: Final = web.RequestKey("actor", Actor)
_STANDING: Final = web.RequestKey("standing", Standing)
_REPOSITORY: Final = web.RequestKey("repository", RepositoryName)


def guarded(route: Route) -> Handler:
    """Return the route's handler behind a check of its permission.

    What the caller was a moment ago is enough to begin with: the first statement of the request proves that
    nobody's rights have changed since, or the caller is looked up anew before anything is done.
    """
    if route.permission is Permission.ANYONE:
        return route.handler

    async def guard(request: web.Request) -> web.StreamResponse:
        authority = request.app[AUTHORITY]
        repository = RepositoryName.parse(request.match_info["name"]) if "{name:" in route.path else None
        actor = request[_ACTOR] = await authority.identify(request)
        _note_repository(request, repository)
        key = ProjectKey(name=repository.project) if repository else _project_key(request)

        async def look_up() -> None:
            _admit(route, request, await authority.standing(actor, key), key=key)

        remembered = authority.remembered(actor, key)
        if remembered is None or not _is_admitted(route, request, remembered[0], key=key):
            await look_up()
            return await route.handler(request)
        with under(Precondition(remembered[1], look_up)):
            try:
                return await route.handler(request)
            finally:
                await authority.prove()

    return guard


def _is_admitted(route: Route, request: web.Request, standing: Standing, *, key: ProjectKey | None) -> bool:
    try:
        _admit(route, request, standing, key=key)
    except (ApiError, OciError):
        return False
    return True


def _admit(route: Route, request: web.Request, standing: Standing, *, key: ProjectKey | None) -> None:
    """Let the request in with this standing; raise what it is refused with."""
    authority, actor, repository = request.app[AUTHORITY], request[_ACTOR], request.get(_REPOSITORY)
    name = repository if route.operation is None else None
    if not authority.allows(actor, route.permission, standing=standing, repository=name):
        raise authority.refuse(request, actor, permission=route.permission, repository=name)
    is_change = request.method not in _READING and not route.works_read_only
    if is_change and standing.is_read_only:
        raise Denied(_READ_ONLY)
    if route.operation is not None and key is not None and standing.project_id is None:
        raise NotFound("there is no such project")
    request[_STANDING] = standing


def _note_repository(request: web.Request, repository: RepositoryName | None) -> None:
    """Keep the repository that the path names; the management API has its name without the project's.

    A slash in it comes encoded twice, as Harbor wants it, or once. Raises NameInvalid.
    """
    name = request.match_info.get("repository_name")
    if name is not None:
        repository = RepositoryName.parse(f"{request.match_info['project_name']}/{unquote(name)}")
    if repository is not None:
        request[_REPOSITORY] = repository


async def require(
    request: web.Request,
    permission: Permission,
    *,
    project_id: int | None = None,
    project_name: str = "",
    repository: str | None = None,
) -> ProjectCall:
    """Check a permission on the project of something that the path names by an id of its own.

    Neither id nor name stands for the system; a token in hand has to be for the repository. Raises what the
    guard would; where there is no such project, `project_id` of what is returned is 0.
    """
    authority, actor = request.app[AUTHORITY], request[_ACTOR]
    key = ProjectKey(id=project_id or 0, name=project_name) if project_id or project_name else None
    standing = await authority.standing(actor, key)
    if not authority.allows(actor, permission, standing=standing, repository=repository):
        raise authority.refuse(request, actor, permission=permission, repository=None)
    return ProjectCall(standing.project_id or 0, standing.project_name, actor, standing, cause_of(request))


async def require_writable(request: web.Request) -> None:
    """Raise Denied while the system is read only: for what is changed by a GET."""
    await request.app[AUTHORITY].prove()
    if request[_STANDING].is_read_only:
        raise Denied(_READ_ONLY)


def actor_of(request: web.Request) -> Actor:
    """Return the caller of a guarded request."""
    return request[_ACTOR]


def standing_of(request: web.Request) -> Standing:
    """Return what the caller of a guarded request is."""
    return request[_STANDING]


def repository_of(request: web.Request) -> RepositoryName:
    """Return the repository that a guarded request is about."""
    return request[_REPOSITORY]


def cause_of(request: web.Request, username: str | None = None) -> Cause:
    """Return what a request leaves in the records: of its caller, or before he is known of a name."""
    return Cause(
        username=request[_ACTOR].username if username is None else username,
        address=client_address(request),
        user_agent=request.headers.get("User-Agent", "")[:200],
        request_id=request_id(request),
    )


def call_of(request: web.Request) -> Call:
    """Return a guarded request on a repository in the words of the use cases."""
    return Call(request[_REPOSITORY], request[_ACTOR], request[_STANDING], cause_of(request))


def project_call_of(request: web.Request) -> ProjectCall:
    """Return a guarded request on a project in the words of the use cases."""
    standing = request[_STANDING]
    return ProjectCall(
        standing.project_id or 0, standing.project_name, request[_ACTOR], standing, cause_of(request)
    )


def _project_key(request: web.Request) -> ProjectKey | None:
    """Return the project that a path of the management API names.

    What is longer than any name is cut, and stays longer: standings are remembered by it.
    """
    name = request.match_info.get("project_name")
    if name is not None:
        return ProjectKey(name=name[: MAX_NAME_LENGTH + 1])
    name_or_id = request.match_info.get("project_name_or_id")
    if name_or_id is None:
        return None
    is_name = request.headers.get("X-Is-Resource-Name", "").lower() in {"true", "1"}
    is_id = name_or_id.isascii() and name_or_id.isdigit() and len(name_or_id) < len(str(2**63))
    return (
        ProjectKey(id=int(name_or_id))
        if is_id and not is_name
        else ProjectKey(name=name_or_id[: MAX_NAME_LENGTH + 1])
    )
