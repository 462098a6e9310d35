"""Making projects."""

from app.access import Call
from app.db import Transaction
from app.events import Cause, ProjectCreated, outbox
from app.oci.errors import NameUnknown
from app.oci.names import parse_project_name
from app.projects import store


class ProjectNameTaken(Exception):
    """There is a project of that name."""


async def create_project(
    tx: Transaction, name: str, cause: Cause, *, owner_id: int | None = None, is_public: bool = False
) -> int:
    """Add a project and return the id; raise NameInvalid or ProjectNameTaken."""
    project_id = await store.insert_project(
        tx, parse_project_name(name), owner_id=owner_id, is_public=is_public
    )
    if project_id is None:
        raise ProjectNameTaken(name)
    await outbox.record(tx, cause, ProjectCreated(project_name=name))
    return project_id


async def set_visibility(tx: Transaction, name: str, *, is_public: bool) -> bool:
    """Make a project public or private; False when there is no such project."""
    return await store.update_visibility(tx, name, is_public=is_public)


async def project_for_push(tx: Transaction, call: Call, *, may_create: bool) -> int:
    """Return the id of the project that is pushed to; an administrator's push may create it.

    Raises:
        NameUnknown: there is no such project and the caller cannot make one.
    """
    name = call.repository.project
    project_id = await store.find_project_id(tx, name)
    if project_id is not None:
        return project_id
    if not (call.standing.is_sysadmin and may_create):
        raise NameUnknown(name)
    try:
        return await create_project(tx, name, call.cause, owner_id=call.actor.user_id)
    except ProjectNameTaken:
        # Another push made it a moment ago.
        return await project_for_push(tx, call, may_create=False)
