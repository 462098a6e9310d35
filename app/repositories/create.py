"""Repositories come into being with their first content."""

from app.access import Actor
from app.db import Transaction
from app.events import Cause, RepositoryCreated, outbox
from app.oci.names import RepositoryName
from app.projects.create import project_for_push
from app.repositories import store


async def repository_for_push(
    tx: Transaction, name: RepositoryName, actor: Actor, cause: Cause, *, may_create_project: bool
) -> int:
    """Return the id of the repository that is pushed to, made now if this is its first content.

    Raises:
        NameUnknown: there is no such project.
    """
    repository_id = await store.find_repository_id(tx, name)
    if repository_id is not None:
        return repository_id
    project_id = await project_for_push(tx, name.project, actor, cause, may_create=may_create_project)
    repository_id = await store.insert_repository(tx, project_id, name)
    if repository_id is None:
        # Another push made it a moment ago.
        return await repository_for_push(tx, name, actor, cause, may_create_project=False)
    await outbox.record(tx, cause, RepositoryCreated(repository_name=name))
    return repository_id
