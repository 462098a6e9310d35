"""Projects (Harbor's `project` group)."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from app.access import Permission
from app.access.routing import API, actor_of, api, project_call_of, standing_of
from app.harbor.query import Condition, Match
from app.http.endpoint import Created, Listed, ListParams
from app.projects import browse, change
from app.projects.found import found_project
from app.projects.schemas import Project, ProjectDeletable, ProjectReq, ProjectSummary
from app.resources import resources


class ProjectListParams(ListParams, frozen=True):
    """Which projects."""

    name: Annotated[str, Meta(max_length=255, description="Part of the name.")] = ""
    public: Annotated[bool | None, Meta(description="Only public ones, or only private ones.")] = None
    owner: Annotated[str, Meta(max_length=255, description="The name of the owner.")] = ""
    with_detail: Annotated[bool, Meta(description="Taken for Harbor's clients: details always come.")] = True

    def conditions(self) -> list[Condition]:
        """Return what does not come in `q`."""
        given = []
        if self.name:
            given.append(Condition("name", Match.FUZZY, (self.name,)))
        if self.public is not None:
            given.append(Condition("public", Match.EXACT, ("true" if self.public else "false",)))
        if self.owner:
            given.append(Condition("owner", Match.EXACT, (self.owner,)))
        return given


class ProjectNameParams(Struct, frozen=True):
    """Which name."""

    project_name: Annotated[str, Meta(min_length=1, max_length=255, description="The name of a project.")]


async def list_projects(request: web.Request, query: ProjectListParams) -> Listed[Project]:
    """List the projects that the caller may see: public ones, and those of a member."""
    r, actor, standing = resources(request), actor_of(request), standing_of(request)
    wanted = query.list_query(*query.conditions())
    page = await browse.list_visible(r, actor, standing, query=wanted)
    return Listed([Project.of(project) for project in page.rows], page.total)


async def head_project(request: web.Request, query: ProjectNameParams) -> None:
    """Say whether a name is taken."""
    await browse.check_name_is_taken(resources(request), query.project_name)


async def create_project(request: web.Request, body: ProjectReq) -> Created[None]:
    """Make a project; the caller becomes its administrator."""
    project_id = await found_project(resources(request), project_call_of(request), body)
    is_name = request.headers.get("X-Resource-Name-In-Location", "").lower() in {"true", "1"}
    return Created(f"{API}/projects/{body.project_name if is_name else project_id}")


async def get_project(request: web.Request) -> Project:
    """Get a project."""
    return Project.of(await browse.get_project(resources(request), project_call_of(request)))


async def update_project(request: web.Request, body: ProjectReq) -> None:
    """Change the metadata of a project, as far as they are given."""
    await change.update_project(resources(request), project_call_of(request), body)


async def delete_project(request: web.Request) -> None:
    """Delete a project that has no repositories."""
    await change.delete_project(resources(request), project_call_of(request))


async def get_project_deletable(request: web.Request) -> ProjectDeletable:
    """Say whether a project can be deleted."""
    can_go = await browse.is_deletable(resources(request), project_call_of(request).project_id)
    return ProjectDeletable(can_go, "" if can_go else change.IN_USE)


async def get_project_summary(request: web.Request) -> ProjectSummary:
    """Say how much there is in a project."""
    call = project_call_of(request)
    summary = await browse.get_summary(resources(request), call.project_id)
    return ProjectSummary.of(summary, call.standing)


_PROJECTS: Final = "/projects"
_PROJECT: Final = "/projects/{project_name_or_id}"
_route = api("project")

ROUTES: Final = (
    _route("GET", _PROJECTS, list_projects, permission=Permission.EVERYBODY, errors=(400,)),
    _route("HEAD", _PROJECTS, head_project, permission=Permission.LOGIN, errors=(404,)),
    _route("POST", _PROJECTS, create_project, permission=Permission.LOGIN, errors=(400, 409)),
    _route("GET", _PROJECT, get_project, permission=Permission.PROJECT_READ, errors=(404,)),
    _route("PUT", _PROJECT, update_project, permission=Permission.PROJECT_UPDATE, errors=(400, 404)),
    _route("DELETE", _PROJECT, delete_project, permission=Permission.PROJECT_DELETE, errors=(404, 412)),
    _route(
        "GET",
        _PROJECT + "/_deletable",
        get_project_deletable,
        permission=Permission.PROJECT_DELETE,
        errors=(404,),
    ),
    _route(
        "GET",
        _PROJECT + "/summary",
        get_project_summary,
        permission=Permission.PROJECT_READ,
        errors=(404,),
    ),
)
