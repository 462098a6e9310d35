"""The metadata of projects, one by one (Harbor's `projectMetadata` group)."""

from typing import Annotated, Final, TypeAlias

from aiohttp import web
from msgspec import Meta

from app.access import Permission
from app.access.routing import api, project_call_of
from app.harbor.errors import BadRequest
from app.projects import browse, change
from app.resources import resources

Key: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
Entry: TypeAlias = Annotated[dict[Key, Annotated[str, Meta(max_length=1_024)]], Meta(max_length=32)]


async def list_project_metadatas(request: web.Request) -> dict[str, str]:
    """List the metadata of a project."""
    return await browse.get_metadata(resources(request), project_call_of(request).project_id)


async def add_project_metadatas(request: web.Request, body: Entry) -> None:
    """Add one entry to the metadata of a project."""
    if len(body) != 1:
        raise BadRequest("the body has to have one key with its value")
    [(key, value)] = body.items()
    await change.add_metadata(resources(request), project_call_of(request), key=key, value=value)


async def get_project_metadata(request: web.Request, meta_name: Key) -> dict[str, str]:
    """Get one entry of the metadata of a project."""
    project_id = project_call_of(request).project_id
    return await browse.get_metadata(resources(request), project_id, key=meta_name)


async def update_project_metadata(request: web.Request, meta_name: Key, body: Entry) -> None:
    """Set one entry of the metadata of a project."""
    if meta_name not in body:
        raise BadRequest(f"the body has to have the key {meta_name} with its value")
    call = project_call_of(request)
    await change.set_metadata(resources(request), call, key=meta_name, value=body[meta_name])


async def delete_project_metadata(request: web.Request, meta_name: Key) -> None:
    """Remove one entry of the metadata of a project; without `public` it is private."""
    await change.remove_metadata(resources(request), project_call_of(request), meta_name)


_METADATAS: Final = "/projects/{project_name_or_id}/metadatas/"
_METADATA: Final = _METADATAS + "{meta_name}"
_route = api("projectMetadata")

ROUTES: Final = (
    _route("GET", _METADATAS, list_project_metadatas, permission=Permission.METADATA_LIST, errors=(404,)),
    _route(
        "POST",
        _METADATAS,
        add_project_metadatas,
        permission=Permission.METADATA_CREATE,
        errors=(400, 404, 409),
    ),
    _route("GET", _METADATA, get_project_metadata, permission=Permission.METADATA_READ, errors=(404,)),
    _route(
        "PUT", _METADATA, update_project_metadata, permission=Permission.METADATA_UPDATE, errors=(400, 404)
    ),
    _route(
        "DELETE", _METADATA, delete_project_metadata, permission=Permission.METADATA_DELETE, errors=(404,)
    ),
)
