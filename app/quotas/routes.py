"""Quotas (Harbor's `quota` group)."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from app.access import Permission
from app.access.routing import api, cause_of
from app.harbor.query import Condition, Match
from app.http.endpoint import Id, Listed, ListParams
from app.quotas import limits
from app.quotas.schemas import Quota, QuotaUpdateReq
from app.resources import resources

_PROJECT: Final = "project"


class QuotaListParams(ListParams, frozen=True):
    """Which quotas."""

    reference: Annotated[str, Meta(max_length=32, description="`project`: there are no others.")] = _PROJECT
    reference_id: Annotated[str, Meta(max_length=20, description="The id of the project.")] = ""


async def list_quotas(request: web.Request, query: QuotaListParams) -> Listed[Quota]:
    """List quotas."""
    if query.reference not in {"", _PROJECT}:
        return Listed([], 0)
    named = Condition("reference_id", Match.EXACT, (query.reference_id,))
    wanted = query.list_query(*([named] if query.reference_id else []))
    page = await limits.list_quotas(resources(request), wanted)
    return Listed([Quota.of(quota) for quota in page.rows], page.total)


async def get_quota(request: web.Request, id: Id) -> Quota:  # noqa: A002 - the path's parameter, as Harbor has it
    """Get the quota of a project, by the project's id."""
    return Quota.of(await limits.get_quota(resources(request), id))


async def update_quota(request: web.Request, id: Id, body: QuotaUpdateReq) -> None:  # noqa: A002 - as above
    """Set the limit of a project."""
    await limits.set_limit(resources(request), id, cause_of(request), hard_bytes=body.hard.storage)


_route = api("quota")

ROUTES: Final = (
    _route("GET", "/quotas", list_quotas, permission=Permission.SYSTEM_QUOTA_LIST, errors=(400,)),
    _route("GET", "/quotas/{id}", get_quota, permission=Permission.SYSTEM_QUOTA_READ, errors=(404,)),
    _route("PUT", "/quotas/{id}", update_quota, permission=Permission.SYSTEM_QUOTA_UPDATE, errors=(400, 404)),
)
