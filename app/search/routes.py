"""Search and statistics (Harbor's `search` and `statistic` groups)."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from app.access import Permission
from app.access.routing import actor_of, api, standing_of
from app.resources import resources
from app.search import store
from app.search.find import find
from app.search.model import Statistic
from app.search.schemas import Search


class SearchParams(Struct, frozen=True):
    """What to look for."""

    q: Annotated[str, Meta(max_length=255, description="Part of the name.")]


async def search(request: web.Request, query: SearchParams) -> Search:
    """Find projects and repositories by part of their names, 100 of each at most."""
    r, actor, standing = resources(request), actor_of(request), standing_of(request)
    return Search.of(await find(r, actor, standing, text=query.q))


async def get_statistic(request: web.Request) -> Statistic:
    """Count projects and repositories."""
    is_sysadmin, user_id = standing_of(request).is_sysadmin, actor_of(request).user_id
    async with resources(request).database.autocommit() as statements:
        return await store.get_statistic(statements, user_id=user_id, sees_all=is_sysadmin)


ROUTES: Final = (
    api("search")("GET", "/search", search, permission=Permission.EVERYBODY),
    api("statistic")("GET", "/statistics", get_statistic, permission=Permission.LOGIN),
)
