"""What the management API does with repositories, but for their content."""

from typing import Final

from app.access import Actor, Call, Standing
from app.db import Page
from app.events import RepositoryUpdated, outbox
from app.harbor.errors import NotFound
from app.harbor.query import ListQuery
from app.oci.names import RepositoryName
from app.repositories import management_store as store
from app.repositories.model import Repository
from app.resources import Resources

NO_REPOSITORY: Final = "the project has no such repository"


async def list_visible(
    r: Resources, actor: Actor, standing: Standing, *, query: ListQuery
) -> Page[Repository]:
    """Return a page of all repositories that the caller may see, the newest first."""
    async with r.database.autocommit() as statements:
        return await store.VISIBLE.page(
            statements,
            query,
            sees_all=standing.is_sysadmin,
            user_id=actor.user_id if standing.is_known else None,
            robot_id=actor.robot_id if standing.is_known else None,
        )


async def list_of_project(r: Resources, project_id: int, query: ListQuery) -> Page[Repository]:
    """Return a page of the repositories of a project, the newest first."""
    async with r.database.autocommit() as statements:
        return await store.OF_PROJECT.page(statements, query, project_id=project_id)


async def get_repository(r: Resources, name: RepositoryName) -> Repository:
    """Return a repository; raise NotFound."""
    async with r.database.autocommit() as statements:
        repository = await store.find_repository(statements, name)
    if repository is None:
        raise NotFound(NO_REPOSITORY)
    return repository


async def describe(r: Resources, call: Call, description: str) -> None:
    """Change what is said of a repository; raise NotFound."""
    async with r.database.transaction() as tx:
        if not await store.update_description(tx, call.repository, description=description):
            raise NotFound(NO_REPOSITORY)
        await outbox.record(tx, call.cause, RepositoryUpdated(repository_name=call.repository))
