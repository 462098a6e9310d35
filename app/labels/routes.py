"""Labels (Harbor's `label` group)."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta

from app.access import Permission, ProjectCall
from app.access.routing import API, api, require
from app.harbor.errors import BadRequest, NotFound
from app.harbor.query import Condition, Match
from app.http.endpoint import Created, Id, Listed, ListParams
from app.labels import manage, model
from app.labels.schemas import Label, LabelReq
from app.resources import resources


class LabelListParams(ListParams, frozen=True):
    """Which labels."""

    scope: Annotated[str, Meta(max_length=1, description="`g` global, `p` of the project.")] = ""
    project_id: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    name: Annotated[str, Meta(max_length=128, description="Part of the name.")] = ""


async def list_labels(request: web.Request, query: LabelListParams) -> Listed[Label]:
    """List global labels, or those of a project."""
    project_id = _project_of(query.scope, query.project_id)
    # Who labels artifacts in a project chooses from the global labels too.
    permission = Permission.LABEL_LIST if project_id else Permission.LOGIN
    await _permitted(request, permission, project_id)
    named = [Condition("name", Match.FUZZY, (query.name,))] if query.name else []
    page = await manage.list_labels(resources(request), project_id, query.list_query(*named))
    return Listed([Label.of(label) for label in page.rows], page.total)


async def create_label(request: web.Request, body: LabelReq) -> Created[None]:
    """Make a global label, or one of a project."""
    project_id = _project_of(body.scope, body.project_id or 0)
    call = await _permitted(request, _asked(Permission.LABEL_CREATE, project_id), project_id)
    return Created(f"{API}/labels/{await manage.create_label(resources(request), call, body)}")


async def get_label(request: web.Request, label_id: Id) -> Label:
    """Get a label."""
    label, _ = await _label(request, label_id, Permission.LABEL_READ)
    return Label.of(label)


async def update_label(request: web.Request, label_id: Id, body: LabelReq) -> None:
    """Change name, description and colour of a label."""
    _, call = await _label(request, label_id, Permission.LABEL_UPDATE)
    await manage.update_label(resources(request), call, label_id, wanted=body)


async def delete_label(request: web.Request, label_id: Id) -> None:
    """Remove a label, from all artifacts too."""
    label, call = await _label(request, label_id, Permission.LABEL_DELETE)
    await manage.delete_label(resources(request), call, label)


def _project_of(scope: str, project_id: int) -> int | None:
    """Return the project whose labels are meant, or None for the global ones; raise BadRequest."""
    if scope == "g":
        return None
    if scope == "p" and project_id:
        return project_id
    raise BadRequest("scope: `g`, or `p` with a project_id")


def _asked(permission: Permission, project_id: int | None) -> Permission:
    return permission if project_id else Permission(f"system/{permission}")


async def _permitted(request: web.Request, permission: Permission, project_id: int | None) -> ProjectCall:
    call = await require(request, permission, project_id=project_id)
    if project_id and not call.project_id:
        raise NotFound("there is no such project")
    return call


async def _label(
    request: web.Request, label_id: int, permission: Permission
) -> tuple[model.Label, ProjectCall]:
    """Return a label that the caller may do this to; one that is not there looks like one that he may not."""
    label = await manage.find_label(resources(request), label_id)
    project_id = label.project_id if label else None
    call = await _permitted(request, _asked(permission, project_id), project_id)
    if label is None:
        raise NotFound(manage.NO_LABEL)
    return label, call


_LABEL: Final = "/labels/{label_id}"
_route = api("label")

# Which permission it takes depends on whose label it is: the handlers ask for it. Strangers see those of
# public projects.
ROUTES: Final = (
    _route("GET", "/labels", list_labels, permission=Permission.EVERYBODY, errors=(400, 403, 404)),
    _route("POST", "/labels", create_label, permission=Permission.LOGIN, errors=(400, 404, 409)),
    _route("GET", _LABEL, get_label, permission=Permission.EVERYBODY, errors=(403, 404)),
    _route("PUT", _LABEL, update_label, permission=Permission.LOGIN, errors=(400, 404, 409)),
    _route("DELETE", _LABEL, delete_label, permission=Permission.LOGIN, errors=(404,)),
)
