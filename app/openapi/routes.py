"""Where the description of the management API is served, for programs and for people."""

from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from app.access import Permission
from app.access.routing import API, Route
from app.openapi.page import render

DOCUMENT: Final = web.AppKey[Callable[[], dict[str, Any]]]("openapi_document")
"""What describes the API when somebody asks; most processes are never asked."""

_SOURCE: Final = f"{API}/openapi.json"
_POLICY: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


async def get_document(request: web.Request) -> web.Response:
    """Give the OpenAPI document."""
    return web.json_response(request.app[DOCUMENT]())


async def get_page(request: web.Request) -> web.Response:
    """Show the description as a page."""
    page = render(request.app[DOCUMENT](), source=_SOURCE)
    return web.Response(text=page, content_type="text/html", headers=_POLICY)


ROUTES: Final = (
    Route("GET", _SOURCE, get_document, Permission.ANYONE),
    Route("GET", f"{API}/docs", get_page, Permission.ANYONE),
)
