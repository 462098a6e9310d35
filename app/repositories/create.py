"""Repositories come into being with their first content."""

from app.access import Call
from app.db import Transaction
from app.events import RepositoryCreated, outbox
from app.projects.create import project_for_push
from app.repositories import store
from app.resources import Resources


async def repository_for_push(r: Resources, tx: Transaction, call: Call) -> int:
    """Return the id of the repository that is pushed to, made now if this is its first content.

    Nobody deletes it before `tx` ends.

    Raises:
        NameUnknown: there is no such project.
    """
    repository_id = await store.lock_repository_id(tx, call.repository)
    if repository_id is not None:
        return repository_id
    project_id = await project_for_push(tx, call, may_create=r.settings.auth.create_projects_on_push)
    repository_id = await store.insert_repository(tx, project_id, call.repository)
    if repository_id is None:
        # Another push made it a moment ago.
        return await repository_for_push(r, tx, call)
    await outbox.record(tx, call.cause, RepositoryCreated(repository_name=call.repository))
    return repository_id


async def lock_for_copy(tx: Transaction, repository_id: int) -> int:
    """Return the project of a repository that `tx` holds, and to which nobody else copies before it ends."""
    return await store.lock_for_copy(tx, repository_id)
