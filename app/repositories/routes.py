"""The catalog (distribution's `_catalog`) and the version check (spec.md, end-1)."""

from typing import Final

from aiohttp import web

from app.access import Permission
from app.access.routing import Route
from app.http import API_VERSION, cut, page_of
from app.repositories import store
from app.resources import resources


async def version_check(_request: web.Request) -> web.Response:
    """Say that this is a registry and that the caller is known (end-1)."""
    return web.json_response({}, headers=API_VERSION)


async def catalog(request: web.Request) -> web.Response:
    """List repositories, a page at a time."""
    page = page_of(request)
    async with resources(request).database.autocommit() as statements:
        names = await store.list_names(statements, last=page.last, limit=page.limit + 1)
    shown, headers = cut(request, page, names)
    return web.json_response({"repositories": shown}, headers=headers)


ROUTES: Final = (
    Route("GET", "/v2/", version_check, Permission.LOGIN),
    Route("GET", "/v2", version_check, Permission.LOGIN),
    Route("GET", "/v2/_catalog", catalog, Permission.CATALOG),
)
