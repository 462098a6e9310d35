"""Repositories (Harbor's `repository` group); `app.artifacts` deletes them, since it knows their content."""

from typing import Final

from aiohttp import web

from app.access import Permission
from app.access.routing import actor_of, api, call_of, project_call_of, repository_of, standing_of
from app.http.endpoint import Listed, ListParams
from app.repositories import manage
from app.repositories.schemas import Repository, RepositoryChange
from app.resources import resources


async def list_all_repositories(request: web.Request, query: ListParams) -> Listed[Repository]:
    """List the repositories of all projects that the caller may see."""
    r, actor, standing = resources(request), actor_of(request), standing_of(request)
    page = await manage.list_visible(r, actor, standing, query=query.list_query())
    return Listed([Repository.of(repository) for repository in page.rows], page.total)


async def list_repositories(request: web.Request, query: ListParams) -> Listed[Repository]:
    """List the repositories of a project."""
    project_id = project_call_of(request).project_id
    page = await manage.list_of_project(resources(request), project_id, query.list_query())
    return Listed([Repository.of(repository) for repository in page.rows], page.total)


async def get_repository(request: web.Request) -> Repository:
    """Get a repository."""
    return Repository.of(await manage.get_repository(resources(request), repository_of(request)))


async def update_repository(request: web.Request, body: RepositoryChange) -> None:
    """Change the description of a repository."""
    await manage.describe(resources(request), call_of(request), body.description)


_REPOSITORIES: Final = "/projects/{project_name}/repositories"
_route = api("repository")

ROUTES: Final = (
    _route("GET", "/repositories", list_all_repositories, permission=Permission.EVERYBODY),
    _route("GET", _REPOSITORIES, list_repositories, permission=Permission.REPOSITORY_LIST),
    _route(
        "GET",
        _REPOSITORIES + "/{repository_name}",
        get_repository,
        permission=Permission.REPOSITORY_READ,
    ),
    _route(
        "PUT",
        _REPOSITORIES + "/{repository_name}",
        update_repository,
        permission=Permission.REPOSITORY_UPDATE,
    ),
)
