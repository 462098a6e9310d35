"""Changing artifacts (Harbor's `artifact` group), and deleting repositories with all that is in them."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from app.access import Permission
from app.access.routing import api, call_of, require
from app.artifacts import change
from app.artifacts.schemas import LabelToAdd, NewTag
from app.http.endpoint import Created, Id
from app.oci.names import parse_reference
from app.resources import resources


class CopyParams(Struct, frozen=True, rename={"source": "from"}):
    """What to copy."""

    source: Annotated[
        str, Meta(max_length=512, description="`project/repository:tag` or `project/repository@digest`.")
    ]


async def delete_artifact(request: web.Request, reference: str) -> None:
    """Delete an artifact with its tags, and what belongs to it alone."""
    await change.delete_artifact(resources(request), call_of(request), parse_reference(reference))


async def copy_artifact(request: web.Request, query: CopyParams) -> Created[None]:
    """Copy an artifact from another repository, with its tags, members and accessories."""
    source, reference = change.parse_source(query.source)
    await require(request, Permission.PULL, project_name=source.project)
    await change.copy_artifact(resources(request), call_of(request), source=source, reference=reference)
    return Created(f"{request.rel_url.raw_path}/{reference}")


async def create_tag(request: web.Request, reference: str, body: NewTag) -> Created[None]:
    """Add a tag to an artifact."""
    r, artifact = resources(request), parse_reference(reference)
    await change.create_tag(r, call_of(request), artifact, name=body.name)
    return Created(f"{request.rel_url.raw_path}/{body.name}")


async def delete_tag(request: web.Request, reference: str, tag_name: str) -> None:
    """Take a tag from an artifact."""
    r, artifact = resources(request), parse_reference(reference)
    await change.remove_tag(r, call_of(request), artifact, name=tag_name)


async def add_label(request: web.Request, reference: str, body: LabelToAdd) -> None:
    """Attach a label to an artifact."""
    r, artifact = resources(request), parse_reference(reference)
    await change.attach_label(r, call_of(request), artifact, label_id=body.id)


async def remove_label(request: web.Request, reference: str, label_id: Id) -> None:
    """Take a label from an artifact."""
    r, artifact = resources(request), parse_reference(reference)
    await change.detach_label(r, call_of(request), artifact, label_id=label_id)


async def delete_repository(request: web.Request) -> None:
    """Delete a repository with all its artifacts."""
    await change.delete_repository(resources(request), call_of(request))


_REPOSITORY: Final = "/projects/{project_name}/repositories/{repository_name}"
_ARTIFACTS: Final = _REPOSITORY + "/artifacts"
_ARTIFACT: Final = _ARTIFACTS + "/{reference}"
_artifact = api("artifact")
_repository = api("repository")

ROUTES: Final = (
    _repository("DELETE", _REPOSITORY, delete_repository, permission=Permission.DELETE, errors=(412,)),
    _artifact("POST", _ARTIFACTS, copy_artifact, permission=Permission.ARTIFACT_CREATE, errors=(412,)),
    _artifact("DELETE", _ARTIFACT, delete_artifact, permission=Permission.ARTIFACT_DELETE, errors=(412,)),
    _artifact("POST", _ARTIFACT + "/tags", create_tag, permission=Permission.TAG_CREATE, errors=(409, 412)),
    _artifact(
        "DELETE",
        _ARTIFACT + "/tags/{tag_name}",
        delete_tag,
        permission=Permission.TAG_DELETE,
        errors=(412,),
    ),
    _artifact(
        "POST",
        _ARTIFACT + "/labels",
        add_label,
        permission=Permission.ARTIFACT_LABEL_CREATE,
        errors=(409,),
    ),
    _artifact(
        "DELETE",
        _ARTIFACT + "/labels/{label_id}",
        remove_label,
        permission=Permission.ARTIFACT_LABEL_DELETE,
    ),
)
