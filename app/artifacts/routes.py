"""Artifacts (Harbor's `artifact` group): lists, one of them, its tags and accessories."""

from typing import Final

from aiohttp import web

from app.access import Permission
from app.access.routing import api, project_call_of, repository_of
from app.artifacts import browse
from app.artifacts.model import Shown
from app.artifacts.schemas import Accessory, Artifact, Tag
from app.http.endpoint import Listed, ListParams
from app.oci.digest import Digest
from app.oci.names import Tag as TagName
from app.oci.names import parse_reference
from app.resources import resources


class ArtifactListParams(ListParams, frozen=True):
    """Which artifacts, and what of each is shown; there is nothing to show of scans before there are any."""

    with_tag: bool = True
    with_label: bool = False
    with_accessory: bool = True
    with_immutable_status: bool = False
    with_scan_overview: bool = False
    with_sbom_overview: bool = False

    @property
    def shown(self) -> Shown:
        """Return what is to be shown."""
        return Shown(self.with_tag, self.with_label, self.with_accessory, self.with_immutable_status)


class ProjectArtifactListParams(ArtifactListParams, frozen=True):
    """Which artifacts of a project."""

    latest_in_repository: bool = False


class TagListParams(ListParams, frozen=True):
    """Which tags."""

    with_immutable_status: bool = False


def reference_of(request: web.Request) -> TagName | Digest:
    """Return the tag or digest that the path names; raise NameInvalid or DigestInvalid."""
    return parse_reference(request.match_info["reference"])


async def list_artifacts(request: web.Request, query: ArtifactListParams) -> Listed[Artifact]:
    """List the artifacts of a repository.

    Accessories and untagged members of an index are left out; `q=base=*` brings the latter in.
    """
    r, repository = resources(request), repository_of(request)
    page = await browse.list_of_repository(r, repository, query.list_query(), shown=query.shown)
    return Listed([Artifact.of(artifact) for artifact in page.rows], page.total)


async def list_artifacts_of_project(
    request: web.Request, query: ProjectArtifactListParams
) -> Listed[Artifact]:
    """List the artifacts of all repositories of a project."""
    page = await browse.list_of_project(
        resources(request),
        project_call_of(request).project_id,
        query.list_query(),
        shown=query.shown,
        only_latest=query.latest_in_repository,
    )
    return Listed([Artifact.of(artifact) for artifact in page.rows], page.total)


async def get_artifact(request: web.Request, query: ArtifactListParams) -> Artifact:
    """Get the artifact of a tag or digest."""
    r, repository = resources(request), repository_of(request)
    return Artifact.of(await browse.get_artifact(r, repository, reference_of(request), shown=query.shown))


async def list_accessories(request: web.Request, query: ListParams) -> Listed[Accessory]:
    """List what belongs to an artifact: signatures, SBOMs ..."""
    r, repository, reference = resources(request), repository_of(request), reference_of(request)
    page = await browse.list_accessories(r, repository, reference, query=query.list_query())
    return Listed([Accessory.of(accessory) for accessory in page.rows], page.total)


async def list_artifact_tags(request: web.Request, query: TagListParams) -> Listed[Tag]:
    """List the tags of an artifact."""
    r, repository, reference = resources(request), repository_of(request), reference_of(request)
    rules_of = project_call_of(request).project_id if query.with_immutable_status else None
    page = await browse.list_tags(r, repository, reference, query=query.list_query(), rules_of=rules_of)
    return Listed([Tag.of(tag) for tag in page.rows], page.total)


_ARTIFACTS: Final = "/projects/{project_name}/repositories/{repository_name}/artifacts"
_ARTIFACT: Final = _ARTIFACTS + "/{reference}"
_route = api("artifact")

ROUTES: Final = (
    _route(
        "GET",
        "/projects/{project_name_or_id}/artifacts",
        list_artifacts_of_project,
        permission=Permission.ARTIFACT_LIST,
    ),
    _route("GET", _ARTIFACTS, list_artifacts, permission=Permission.ARTIFACT_LIST),
    _route("GET", _ARTIFACT, get_artifact, permission=Permission.ARTIFACT_READ),
    _route("GET", _ARTIFACT + "/accessories", list_accessories, permission=Permission.ACCESSORY_LIST),
    _route("GET", _ARTIFACT + "/tags", list_artifact_tags, permission=Permission.TAG_LIST),
)
