"""Making projects."""

from app.access import Call
from app.db import Transaction
from app.events import Cause, ProjectCreated, outbox
from app.oci.errors import NameUnknown
from app.oci.names import parse_project_name
from app.projects import store
from app.projects.model import Settings


class ProjectNameTaken(Exception):
    """There is a project of that name."""


async def create_project(
    tx: Transaction, name: str, cause: Cause, *, owner_id: int | None = None, is_public: bool = False
) -> int:
    """Add a project with the configured quota and return the id; raise as `add_project` does."""
    settings = Settings(is_public, {})
    return await add_project(tx, name, cause, owner_id=owner_id, settings=settings, hard_bytes=None)


async def add_project(
    tx: Transaction,
    name: str,
    cause: Cause,
    *,
    owner_id: int | None,
    settings: Settings,
    hard_bytes: int | None,
) -> int:
    """Add a project, of which its owner is an administrator, and return the id.

    `hard_bytes` is its quota; None is the configured one. Raises NameInvalid or ProjectNameTaken.
    """
    project_id = await store.insert_project(
        tx, parse_project_name(name), owner_id=owner_id, settings=settings, hard_bytes=hard_bytes
    )
    if project_id is None:
        raise ProjectNameTaken(name)
    await outbox.record(tx, cause, ProjectCreated(project_name=name))
    return project_id


async def project_for_push(tx: Transaction, call: Call, *, may_create: bool) -> int:
    """Return the id of the project that is pushed to; an administrator's push may create it.

    Nobody deletes it before `tx` ends.

    Raises:
        NameUnknown: there is no such project and the caller cannot make one.
    """
    name = call.repository.project
    project_id = await store.lock_project_id(tx, name)
    if project_id is not None:
        return project_id
    if not (call.standing.is_sysadmin and may_create):
        raise NameUnknown(name)
    try:
        return await create_project(tx, name, call.cause, owner_id=call.actor.user_id)
    except ProjectNameTaken:
        # Another push made it a moment ago.
        return await project_for_push(tx, call, may_create=False)
