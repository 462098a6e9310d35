"""Login and logout of a browser page, as Harbor's has them."""

from http import HTTPStatus
from typing import Final

from aiohttp import web

from app.access import Actor, Permission
from app.access.routing import Route, cause_of
from app.auth.authority import CSRF_HEADER, CSRF_TOKEN, REGISTRY_AUTHORITY, SESSION_COOKIE
from app.auth.forms import read_form
from app.auth.login import BadCredentials
from app.auth.sessions import close_session, csrf_token, open_session
from app.harbor.errors import BadRequest, Forbidden, Unauthenticated
from app.http import base_url
from app.resources import resources

_FORM: Final = "application/x-www-form-urlencoded"
_CSRF_COOKIE: Final = "_gorilla_csrf"
"""Harbor's clients take a token from a refusal only with this cookie beside it; nobody here looks at it."""
_NOT_KEPT: Final = {"Cache-Control": "no-store"}


async def log_in(request: web.Request) -> web.Response:
    """Open a session for name (`principal`) and password, from a page of this site."""
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        raise Forbidden("another site's page cannot log anybody in here")
    actor = await _logged_in(request)
    key = await open_session(resources(request), actor, cause_of(request, actor.username))
    response = web.Response(headers={**_NOT_KEPT, CSRF_HEADER: csrf_token(key)})
    response.set_cookie(SESSION_COOKIE, key, httponly=True, samesite="Strict", secure=_is_secure(request))
    return response


async def _logged_in(request: web.Request) -> Actor:
    try:
        fields = await read_form(request)
    except ValueError:
        raise BadRequest(f"the body is a form ({_FORM}) with `principal` and `password`") from None
    name, password = fields.get("principal", ""), fields.get("password", "")
    try:
        return await request.app[REGISTRY_AUTHORITY].log_in_as(request, name, password)
    except BadCredentials as error:
        raise Unauthenticated(str(error)) from None


async def log_out(request: web.Request) -> web.Response:
    """Close the session, if there is one."""
    key = request.cookies.get(SESSION_COOKIE)
    if key:
        await close_session(resources(request), key, cause_of(request, ""))
    response = web.Response(headers=_NOT_KEPT)
    response.del_cookie(SESSION_COOKIE, httponly=True, samesite="Strict")
    return response


async def show_csrf_token(request: web.Request, response: web.StreamResponse) -> None:
    """Put the token into every answer to a request with a session."""
    token = request.get(CSRF_TOKEN)
    if token is None:
        return
    response.headers[CSRF_HEADER] = token
    if response.status == HTTPStatus.FORBIDDEN:
        secure = "; Secure" if _is_secure(request) else ""
        cookie = f"{_CSRF_COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{secure}"
        response.headers.add("Set-Cookie", cookie)


def _is_secure(request: web.Request) -> bool:
    return base_url(request).startswith("https://")


ROUTES: Final = (
    Route("POST", "/c/login", log_in, Permission.ANYONE),
    Route("GET", "/c/log_out", log_out, Permission.ANYONE),
)
