"""The one place that decides who a caller is and what the caller may do: the port `app.access.Authority`."""

import asyncio
import binascii
import hmac
from base64 import b64decode
from typing import Final

from aiohttp import web

from app.access import ANONYMOUS, Actor, Permission, Standing
from app.access.routing import API, ProjectKey, cause_of
from app.auth.login import BadCredentials, Logins
from app.auth.sessions import csrf_token, find_actor
from app.auth.standings import Standings
from app.auth.tokens import TokenInvalid, TokenSigner
from app.db import Check
from app.harbor.errors import Forbidden, SlowDown, Unauthenticated
from app.http import API_VERSION, base_url, is_api
from app.oci.errors import Denied, TooManyRequests, Unauthorized
from app.oci.names import RepositoryName
from app.resources import Resources

_SCOPES: Final = {Permission.PULL: "pull", Permission.PUSH: "pull,push", Permission.DELETE: "delete"}
_CATALOG: Final = "registry:catalog:*"
_PAGES: Final = "/c/"
_BLOBS: Final = f"{API}/blobs/"
"""Whoever has a token to pull may also ask for links to blobs with it."""
_HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION_COOKIE: Final = "sid"
CSRF_HEADER: Final = "X-Harbor-CSRF-Token"
CSRF_TOKEN: Final = web.RequestKey("csrf_token", str)
"""What a request with a session has to show before it changes anything."""


class RegistryAuthority:
    """Basic and bearer credentials, sessions, grants of tokens, roles in projects."""

    def __init__(self, r: Resources, logins: Logins, signer: TokenSigner) -> None:
        self._r = r
        self._settings = r.settings.auth
        self._standings = Standings(r.database)
        self._logins = logins
        self._signer = signer

    async def identify(self, request: web.Request) -> Actor:
        """Return the caller.

        Raises:
            Unauthorized, Unauthenticated: wrong or expired credentials.
            TooManyRequests, SlowDown: too many wrong ones before.
            Forbidden: a change in a session without its CSRF token.
        """
        header = request.headers.get("Authorization")
        if header is None:
            return await self._of_session(request) if is_api(request) else ANONYMOUS
        try:
            return await self._identified(request, header)
        except (TokenInvalid, BadCredentials) as error:
            if is_api(request):
                raise Unauthenticated(str(error)) from None
            raise self._challenge(
                request, None, f'error="invalid_token",error_description="{_quoted(error)}"'
            ) from None

    async def _identified(self, request: web.Request, header: str) -> Actor:
        scheme, _, credentials = header.partition(" ")
        match scheme.lower():
            case "bearer" if not is_api(request) or request.path.startswith(_BLOBS):
                return self._signer.verify(credentials.strip())
            case "basic":
                return await self.log_in(request, credentials)
            case _:
                raise BadCredentials("unknown scheme")

    async def _of_session(self, request: web.Request) -> Actor:
        """Return the caller by the cookie; a session that is over is none."""
        key = request.cookies.get(SESSION_COOKIE)
        actor = await find_actor(self._r, key) if key else None
        if not key or actor is None:
            return ANONYMOUS
        token = request[CSRF_TOKEN] = csrf_token(key)
        shown = request.headers.get(CSRF_HEADER, "")
        if request.method not in _HARMLESS and not hmac.compare_digest(
            shown.encode(errors="replace"), token.encode()
        ):
            raise Forbidden(f"show the {CSRF_HEADER} of an earlier answer")
        return actor

    async def log_in(self, request: web.Request, credentials: str) -> Actor:
        """Return whom Basic credentials (RFC 7617) belong to; raise as `log_in_as` does."""
        try:
            username, colon, password = b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise BadCredentials("malformed") from None
        if not colon:
            raise BadCredentials("malformed")
        return await self.log_in_as(request, username, password)

    async def log_in_as(self, request: web.Request, username: str, password: str) -> Actor:
        """Return whom a name and a password belong to.

        Raises:
            BadCredentials: they belong to nobody.
            TooManyRequests, SlowDown: too many wrong ones before.
        """
        try:
            return await self._logins.log_in(username, password, cause_of(request, username))
        except SlowDown as error:
            if not is_api(request) and not request.path.startswith(_PAGES):
                raise TooManyRequests(error.sentence, headers=error.headers) from None
            raise

    async def confirms(self, request: web.Request, actor: Actor, password: str) -> bool:
        """Whether this is the caller's password: asked, slowed and audited like a login."""
        try:
            return (await self.log_in_as(request, actor.username, password)).user_id == actor.user_id
        except BadCredentials:
            return False

    async def note_refused_scope(
        self, request: web.Request, actor: Actor, *, repository: RepositoryName, actions: tuple[str, ...]
    ) -> None:
        """Record that the caller may do nothing of what a token was wanted for."""
        await self._logins.note_refused_scope(cause_of(request, actor.username), repository, actions)

    def remembered(self, actor: Actor, project: ProjectKey | None) -> tuple[Standing, Check] | None:
        """Return what the caller was a moment ago, and the check that it still is."""
        return self._standings.find(actor, project or ProjectKey())

    async def prove(self) -> None:
        """Prove that the caller still is what was remembered, unless a statement of the request did."""
        await self._r.database.prove()

    async def standing(self, actor: Actor, project: ProjectKey | None = None) -> Standing:
        """Return what the caller is now, in the installation and in the project."""
        return await self._standings.get(actor, project or ProjectKey())

    def allows(
        self, actor: Actor, permission: Permission, *, standing: Standing, repository: str | None = None
    ) -> bool:
        """Whether the caller may; the same answer for what is forbidden and what is not there.

        A token narrows what its bearer may, it never widens it.
        """
        if actor.grants is None or permission is Permission.EVERYBODY:
            return standing.may(permission)
        if permission is Permission.LOGIN:
            return standing.is_known or actor.is_anonymous
        if permission is Permission.CATALOG:
            return standing.may(permission) and actor.is_granted("registry", "catalog", "*")
        return (
            repository is not None
            and actor.is_granted("repository", repository, permission.action)
            and standing.may(permission)
        )

    async def pullable(self, actor: Actor, repositories: list[str]) -> list[str]:
        """Return those repositories that the person behind the request may pull from.

        The person's roles decide, not the grants of the token in hand: clients ask for a token for
        the repository they push to, before they know what can be mounted from elsewhere.
        """
        projects = {name: RepositoryName(name).project for name in repositories}
        wanted = sorted(set(projects.values()))
        # Asked for together, they take one statement.
        found = await asyncio.gather(*(self.standing(actor, ProjectKey(name=name)) for name in wanted))
        standings = dict(zip(wanted, found, strict=True))
        return [name for name in repositories if standings[projects[name]].may(Permission.PULL)]

    async def permitted(
        self, actor: Actor, wanted: list[Permission], *, repository: RepositoryName
    ) -> list[Permission]:
        """Return what of this the person's own standing in the project allows, whatever a token says."""
        standing = await self.standing(actor, ProjectKey(name=repository.project))
        is_missed = standing.project_id is None and not self._settings.create_projects_on_push
        denied = {Permission.PUSH} if is_missed else set()
        return [each for each in wanted if standing.may(each) and each not in denied]

    def refuse(
        self, request: web.Request, actor: Actor, *, permission: Permission, repository: str | None
    ) -> Exception:
        """Return the error to raise: a challenge for who can still authenticate, else a refusal."""
        if is_api(request):
            return (
                Unauthenticated("log in first")
                if actor.is_anonymous
                else Forbidden("this is not there, or you may not do it")
            )
        if actor.grants is None and not actor.is_anonymous:
            return Denied()
        scope = _SCOPES.get(permission)
        if request.method == "HEAD" and repository is not None:
            # How a push begins: is this here already? Some clients keep the token of their first request.
            scope = _SCOPES[Permission.PUSH]
        wanted = f"repository:{repository}:{scope}" if scope else None
        if permission is Permission.CATALOG:
            wanted = _CATALOG
        return self._challenge(
            request, wanted, 'error="insufficient_scope"' if actor.grants is not None else ""
        )

    def _challenge(self, request: web.Request, scope: str | None, error: str) -> Unauthorized:
        """Return a 401 that tells clients where to get a token (RFC 6750, section 3)."""
        parts = [f'realm="{base_url(request)}/service/token"', f'service="{self._settings.service}"']
        if scope:
            parts.append(f'scope="{scope}"')
        if error:
            parts.append(error)
        return Unauthorized(headers={"WWW-Authenticate": f"Bearer {','.join(parts)}", **API_VERSION})


def _quoted(error: Exception) -> str:
    return str(error).replace('"', "'")


REGISTRY_AUTHORITY: Final = web.AppKey("registry_authority", RegistryAuthority)
