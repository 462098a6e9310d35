"""Listing tags (spec.md, end-8a and end-8b)."""

from typing import Final

from aiohttp import web

from app.access import Permission
from app.access.routing import Route, repository_of
from app.http import next_link, page_of
from app.oci.errors import NameUnknown
from app.repositories.find import find_repository_id
from app.resources import resources
from app.tags import store


async def list_tags(request: web.Request) -> web.Response:
    """List a repository's tags, a page at a time."""
    page = page_of(request)
    repository = repository_of(request)
    async with resources(request).database.autocommit() as statements:
        repository_id = await find_repository_id(statements, repository)
        if repository_id is None:
            raise NameUnknown(repository)
        names = await store.list_tags(statements, repository_id, last=page.last, limit=page.limit + 1)
    shown = names[: page.limit]
    headers = next_link(request, page, shown[-1]) if shown and len(names) > len(shown) else {}
    return web.json_response({"name": request.match_info["name"], "tags": shown}, headers=headers)


ROUTES: Final = (Route("GET", "/v2/{name:.+}/tags/list", list_tags, Permission.PULL),)
