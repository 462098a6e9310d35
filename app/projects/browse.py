"""Projects as callers see them."""

from typing import Final

from app.access import Actor, Permission, ProjectCall, Standing
from app.db import Page
from app.harbor.errors import NotFound
from app.harbor.query import ListQuery
from app.projects import list_store, store
from app.projects.model import Project, Summary
from app.resources import Resources

NO_PROJECT: Final = "there is no such project"


async def list_visible(r: Resources, actor: Actor, standing: Standing, *, query: ListQuery) -> Page[Project]:
    """Return a page of the projects that the caller may see, by their names."""
    async with r.database.autocommit() as statements:
        return await list_store.VISIBLE.page(
            statements,
            query,
            sees_all=standing.may(Permission.SYSTEM_PROJECT_LIST),
            user_id=actor.user_id if standing.is_known else None,
            robot_id=actor.robot_id if standing.is_known else None,
        )


async def get_project(r: Resources, call: ProjectCall) -> Project:
    """Return a project as the caller sees it; raise NotFound."""
    async with r.database.autocommit() as statements:
        found = await list_store.find_project(statements, call.project_id, user_id=call.actor.user_id)
    if found is None:
        raise NotFound(NO_PROJECT)
    return found


async def get_summary(r: Resources, project_id: int) -> Summary:
    """Return how much there is in a project; raise NotFound."""
    async with r.database.autocommit() as statements:
        found = await list_store.find_summary(statements, project_id)
    if found is None:
        raise NotFound(NO_PROJECT)
    return found


async def get_metadata(r: Resources, project_id: int, *, key: str = "") -> dict[str, str]:
    """Return the metadata of a project, or one entry of it; raise NotFound."""
    async with r.database.autocommit() as statements:
        settings = await store.find_settings(statements, project_id)
    if settings is None:
        raise NotFound(NO_PROJECT)
    shown = settings.shown
    if key and key not in shown:
        raise NotFound("the project has no such metadata")
    return {key: shown[key]} if key else shown


async def check_name_is_taken(r: Resources, name: str) -> None:
    """Raise NotFound unless there is a project of that name."""
    async with r.database.autocommit() as statements:
        if await store.find_project_id(statements, name) is None:
            raise NotFound(NO_PROJECT)


async def is_deletable(r: Resources, project_id: int) -> bool:
    """Whether nothing keeps a project from being deleted at this moment."""
    async with r.database.autocommit() as statements:
        return not await store.has_repositories(statements, project_id)
