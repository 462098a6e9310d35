"""Routes that say which permission they need, and the guard in front of every handler."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeAlias

from aiohttp import web
from msgspec import Struct

from app.access.actor import Actor, Call
from app.access.permission import Permission
from app.events import Cause
from app.http import request_id
from app.oci.names import RepositoryName

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Route(Struct, frozen=True):
    """One method on one path. There is no way to leave the permission out."""

    method: str
    path: str
    handler: Handler
    permission: Permission


class Authority(Protocol):
    """Who knows callers and their rights: `app.auth`, joined in by `app.main`."""

    async def identify(self, request: web.Request) -> Actor:
        """Return the caller; raise Unauthorized for wrong or expired credentials."""

    async def allows(self, actor: Actor, permission: Permission, repository: RepositoryName | None) -> bool:
        """Whether the caller may; the same answer for what is forbidden and what is not there."""

    async def pullable(self, actor: Actor, repositories: list[str]) -> list[str]:
        """Return those repositories that the person behind the request may pull from."""

    def refuse(
        self, request: web.Request, actor: Actor, *, permission: Permission, repository: str | None
    ) -> Exception:
        """Return the error to raise: a challenge for who can still authenticate, else Denied."""


AUTHORITY: Final = web.AppKey[Authority]("authority")
_ACTOR: Final = web.RequestKey("actor", Actor)
_REPOSITORY: Final = web.RequestKey("repository", RepositoryName)


def guarded(route: Route) -> Handler:
    """Return the route's handler behind a check of its permission."""
    handler, permission = route.handler, route.permission

    async def guard(request: web.Request) -> web.StreamResponse:
        authority = request.app[AUTHORITY]
        repository = RepositoryName.parse(request.match_info["name"]) if permission.is_on_repository else None
        actor = await authority.identify(request)
        if not await authority.allows(actor, permission, repository):
            raise authority.refuse(request, actor, permission=permission, repository=repository)
        request[_ACTOR] = actor
        if repository is not None:
            request[_REPOSITORY] = repository
        return await handler(request)

    return handler if permission is Permission.ANYONE else guard


def actor_of(request: web.Request) -> Actor:
    """Return the caller of a guarded request."""
    return request[_ACTOR]


def repository_of(request: web.Request) -> RepositoryName:
    """Return the repository that a guarded request is about."""
    return request[_REPOSITORY]


def call_of(request: web.Request) -> Call:
    """Return a guarded request on a repository in the words of the use cases."""
    actor = request[_ACTOR]
    cause = Cause(
        username=actor.username,
        address=request.remote or "",
        user_agent=request.headers.get("User-Agent", "")[:200],
        request_id=request_id(request),
    )
    return Call(repository=request[_REPOSITORY], actor=actor, cause=cause)
