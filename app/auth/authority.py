"""The one place that decides who a caller is and what the caller may do: the port `app.access.Authority`."""

import binascii
from base64 import b64decode
from typing import Final

from aiohttp import web

from app.access import ANONYMOUS, ROLE_PERMISSIONS, Actor, Permission
from app.auth import store
from app.auth.passwords import Authenticator
from app.auth.tokens import TokenInvalid, TokenSigner
from app.db import Database
from app.http import API_VERSION, base_url
from app.oci.errors import Denied, OciError, Unauthorized
from app.oci.names import RepositoryName
from app.settings import AuthSettings

_SCOPES: Final = {Permission.PULL: "pull", Permission.PUSH: "pull,push", Permission.DELETE: "delete"}


class BadCredentials(Exception):
    """The Authorization header is malformed, or name and password are not right."""


class RegistryAuthority:
    """Basic and bearer credentials, grants of tokens, roles in projects."""

    def __init__(
        self, database: Database, settings: AuthSettings, *, authenticator: Authenticator, signer: TokenSigner
    ) -> None:
        self._database = database
        self._settings = settings
        self._authenticator = authenticator
        self._signer = signer

    async def identify(self, request: web.Request) -> Actor:
        """Return the caller; raise Unauthorized for wrong or expired credentials."""
        header = request.headers.get("Authorization")
        if header is None:
            return ANONYMOUS
        scheme, _, credentials = header.partition(" ")
        try:
            match scheme.lower():
                case "bearer":
                    return self._signer.verify(credentials.strip())
                case "basic":
                    return await self.login(credentials)
                case _:
                    raise BadCredentials("unknown scheme")
        except (TokenInvalid, BadCredentials) as error:
            raise self._challenge(
                request, None, f'error="invalid_token",error_description="{_quoted(error)}"'
            ) from None

    async def login(self, credentials: str) -> Actor:
        """Return whom Basic credentials (RFC 7617) belong to; raise BadCredentials."""
        try:
            username, colon, password = b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise BadCredentials("malformed") from None
        if not colon:
            raise BadCredentials("malformed")
        return await self.login_as(username, password)

    async def login_as(self, username: str, password: str) -> Actor:
        """Return whom a name and a password belong to; raise BadCredentials."""
        user = await self._authenticator.authenticate(username, password)
        if user is None:
            raise BadCredentials("incorrect username or password")
        return Actor(username=user.username, user_id=user.id, is_sysadmin=user.is_sysadmin)

    async def allows(self, actor: Actor, permission: Permission, repository: RepositoryName | None) -> bool:
        """Whether the caller may; the same answer for what is forbidden and what is not there."""
        if permission is Permission.ANYONE:
            return True
        if permission is Permission.LOGIN:
            return not actor.is_anonymous or actor.grants is not None
        if repository is None:
            return (
                actor.is_granted("registry", "catalog", "*")
                if actor.grants is not None
                else actor.is_sysadmin
            )
        if actor.grants is not None:
            return actor.is_granted("repository", repository, permission.action)
        return await self.may(actor, permission, repository)

    async def may(self, actor: Actor, permission: Permission, repository: RepositoryName) -> bool:
        """Whether the person's own standing in the project allows it, whatever a token says."""
        standing = await store.get_standing(self._database, actor.user_id, repository.project)
        if standing.is_sysadmin:
            return (
                standing.is_project
                or permission is not Permission.PUSH
                or self._settings.create_projects_on_push
            )
        if standing.is_public and permission is Permission.PULL:
            return True
        return standing.role is not None and permission in ROLE_PERMISSIONS[standing.role]

    async def pullable(self, actor: Actor, repositories: list[str]) -> list[str]:
        """Return those repositories that the person behind the request may pull from.

        The person's roles decide, not the grants of the token in hand: clients ask for a token for
        the repository they push to, before they know what can be mounted from elsewhere.
        """
        names = [RepositoryName(name) for name in repositories]
        return [name for name in names if await self.may(actor, Permission.PULL, name)]

    def refuse(
        self, request: web.Request, actor: Actor, *, permission: Permission, repository: str | None
    ) -> OciError:
        """Return the error to raise: a challenge for who can still authenticate, else Denied."""
        if actor.grants is None and not actor.is_anonymous:
            return Denied()
        scope = _SCOPES.get(permission)
        if request.method == "HEAD" and repository is not None:
            # How a push begins: is this here already? Some clients keep the token of their first request.
            scope = _SCOPES[Permission.PUSH]
        wanted = f"repository:{repository}:{scope}" if scope else None
        if permission is Permission.CATALOG:
            wanted = Permission.CATALOG.value
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
