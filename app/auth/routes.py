"""The token endpoint (distribution, "Docker Registry v2 authentication"; OAuth2 form of it by POST)."""

import asyncio
from collections.abc import Iterable
from typing import Final

from aiohttp import web

from app.access import ANONYMOUS, Actor, Grant, Permission
from app.access.routing import Route
from app.auth.authority import REGISTRY_AUTHORITY
from app.auth.forms import read_form
from app.auth.login import BadCredentials
from app.auth.tokens import TokenSigner
from app.configuration.current import token_lifetime
from app.oci.errors import NameInvalid, Unauthorized
from app.oci.names import RepositoryName
from app.resources import resources

TOKEN_SIGNER: Final = web.AppKey("token_signer", TokenSigner)

_MAX_SCOPES: Final = 100
_ON_REPOSITORIES: Final = (Permission.PULL, Permission.PUSH, Permission.DELETE)


async def get_token(request: web.Request) -> web.Response:
    """Give whoever asks, by Basic or anonymously, a token for what of the wanted scopes is allowed."""
    header = request.headers.get("Authorization")
    actor = ANONYMOUS
    if header is not None:
        scheme, _, credentials = header.partition(" ")
        try:
            if scheme.lower() != "basic":
                raise BadCredentials("the token endpoint takes Basic credentials")
            actor = await request.app[REGISTRY_AUTHORITY].log_in(request, credentials)
        except BadCredentials as error:
            raise _refused(request, error) from None
    return await _token(request, actor, request.query.getall("scope", []))


async def post_token(request: web.Request) -> web.Response:
    """Give a token for name and password in a form (RFC 6749, section 4.3)."""
    try:
        fields = await read_form(request)
    except ValueError:
        return web.json_response({"error": "invalid_request"}, status=400)
    if fields.get("grant_type") != "password":
        return web.json_response({"error": "unsupported_grant_type"}, status=400)
    try:
        actor = await request.app[REGISTRY_AUTHORITY].log_in_as(
            request, fields.get("username", ""), fields.get("password", "")
        )
    except BadCredentials as error:
        raise _refused(request, error) from None
    return await _token(request, actor, [fields.get("scope", "")])


def _refused(request: web.Request, error: BadCredentials) -> Unauthorized:
    service = resources(request).settings.auth.service
    return Unauthorized(str(error), headers={"WWW-Authenticate": f'Basic realm="{service}"'})


async def _token(request: web.Request, actor: Actor, scopes: Iterable[str]) -> web.Response:
    wanted = [scope for text in scopes for scope in text.split()][:_MAX_SCOPES]
    # Asked for together, they share a statement.
    found = await asyncio.gather(*(_grant(request, actor, scope) for scope in wanted))
    grants = [grant for grant in found if grant is not None]
    lifetime = await token_lifetime(resources(request))
    token = request.app[TOKEN_SIGNER].issue(actor, grants, lifetime=lifetime)
    answer = {
        "token": token.text,
        "access_token": token.text,
        "expires_in": token.expires_in,
        "issued_at": token.issued_at.isoformat().replace("+00:00", "Z"),
    }
    return web.json_response(answer, headers={"Cache-Control": "no-store"})


async def _grant(request: web.Request, actor: Actor, scope: str) -> Grant | None:
    """Return what of one scope, `type:name:action,action`, is allowed; None for what is unknown."""
    authority = request.app[REGISTRY_AUTHORITY]
    kind, _, rest = scope.partition(":")
    name, _, text = rest.rpartition(":")
    actions = set(text.split(","))
    if kind == "registry" and name == "catalog":
        standing = await authority.standing(actor)
        return Grant(kind, name, ("*",)) if standing.may(Permission.CATALOG) else None
    if kind.partition("(")[0] != "repository":
        return None
    try:
        repository = RepositoryName.parse(name)
    except NameInvalid:
        return None
    wanted = [p for p in _ON_REPOSITORIES if p.action in actions or "*" in actions]
    allowed = await authority.permitted(actor, wanted, repository=repository)
    if wanted and not allowed:
        refused = tuple(permission.action for permission in wanted)
        await authority.note_refused_scope(request, actor, repository=repository, actions=refused)
    actions_allowed = tuple(permission.action for permission in allowed)
    return Grant("repository", repository, actions_allowed) if allowed else None


ROUTES: Final = (
    Route("GET", "/service/token", get_token, Permission.ANYONE),
    Route("POST", "/service/token", post_token, Permission.ANYONE),
)
