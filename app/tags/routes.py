"""Listing tags (spec.md, end-8a and end-8b)."""

from typing import Final

from aiohttp import web

from app.access import Permission
from app.access.routing import Route, repository_of
from app.http import cut, page_of
from app.oci.errors import NameUnknown
from app.resources import resources
from app.tags import store


async def list_tags(request: web.Request) -> web.Response:
    """List a repository's tags, a page at a time."""
    page, repository = page_of(request), repository_of(request)
    async with resources(request).database.autocommit() as statements:
        names = await store.list_tags(statements, repository, last=page.last, limit=page.limit + 1)
    if names is None:
        raise NameUnknown(repository)
    shown, headers = cut(request, page, names)
    # The name as it was asked for: a client compares it with its own.
    return web.json_response({"name": request.match_info["name"], "tags": shown}, headers=headers)


ROUTES: Final = (Route("GET", "/v2/{name:.+}/tags/list", list_tags, Permission.PULL),)
