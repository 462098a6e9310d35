"""Changing the settings of projects, and deleting projects."""

from collections.abc import Callable
from typing import Final

from app.access import ProjectCall
from app.db import Transaction
from app.events import Cause, ProjectDeleted, ProjectUpdated, outbox
from app.harbor.errors import Conflict, NotFound, PreconditionFailed
from app.projects import metadata_rules, store
from app.projects.browse import NO_PROJECT
from app.projects.found import check_no_allowlist
from app.projects.model import Settings
from app.projects.schemas import ProjectReq
from app.resources import Resources

IN_USE: Final = "the project contains repositories, can not be deleted"


async def update_project(r: Resources, call: ProjectCall, wanted: ProjectReq) -> None:
    """Change the metadata that the request names; raise BadRequest or NotFound."""
    check_no_allowlist(wanted)
    given = metadata_rules.of_request(wanted.metadata or {})
    if wanted.public is not None:
        given.setdefault(metadata_rules.PUBLIC, "true" if wanted.public else "false")
    async with r.database.transaction() as tx:
        await _change(tx, call, lambda before: before | given)


async def add_metadata(r: Resources, call: ProjectCall, *, key: str, value: str) -> None:
    """Add one entry of the metadata; raise BadRequest, NotFound, or Conflict when it is there."""
    checked = metadata_rules.checked(key, value)

    def added(before: dict[str, str]) -> dict[str, str]:
        if key in before:
            raise Conflict(f"{key}: the project has it already, change it instead")
        return before | {key: checked}

    async with r.database.transaction() as tx:
        await _change(tx, call, added)


async def set_metadata(r: Resources, call: ProjectCall, *, key: str, value: str) -> None:
    """Set one entry of the metadata, whether or not it is there; raise BadRequest or NotFound."""
    checked = metadata_rules.checked(key, value)
    async with r.database.transaction() as tx:
        await _change(tx, call, lambda before: before | {key: checked})


async def remove_metadata(r: Resources, call: ProjectCall, key: str) -> None:
    """Remove one entry of the metadata; raise NotFound. Without `public` a project is private."""

    def removed(before: dict[str, str]) -> dict[str, str]:
        if key not in before:
            raise NotFound("the project has no such metadata")
        return {kept: value for kept, value in before.items() if kept != key}

    async with r.database.transaction() as tx:
        await _change(tx, call, removed)


async def set_visibility(tx: Transaction, name: str, cause: Cause, *, is_public: bool) -> bool:
    """Make a project public or private; False when there is no such project."""
    project_id = await store.find_project_id(tx, name)
    before = None if project_id is None else await store.lock_settings(tx, project_id)
    if project_id is None or before is None:
        return False
    if before.is_public != is_public:
        await store.update_settings(tx, project_id, Settings(is_public, before.metadata))
        event = ProjectUpdated(name=name, project_name=name, changed=(metadata_rules.PUBLIC,))
        await outbox.record(tx, cause, event)
    return True


async def delete_project(r: Resources, call: ProjectCall) -> None:
    """Delete a project, with its members, robots, labels and rules.

    Raises:
        PreconditionFailed: it has repositories.
        NotFound: somebody else deleted it.
    """
    async with r.database.transaction() as tx:
        # Who makes a first repository holds the row until its commit: it is counted, or finds no project.
        if not await store.lock_project(tx, call.project_id):
            raise NotFound(NO_PROJECT)
        if await store.has_repositories(tx, call.project_id):
            raise PreconditionFailed(IN_USE)
        await store.delete_project(tx, call.project_id)
        event = ProjectDeleted(name=call.project_name, project_name=call.project_name)
        await outbox.record(tx, call.cause, event)


async def _change(
    tx: Transaction, call: ProjectCall, changed: Callable[[dict[str, str]], dict[str, str]]
) -> None:
    """Keep what `changed` makes of the metadata as they are shown, and tell of it if it differs."""
    settings = await store.lock_settings(tx, call.project_id)
    if settings is None:
        raise NotFound(NO_PROJECT)
    before = settings.shown
    after = changed(before)
    names = tuple(sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key)))
    if names:
        is_public = after.pop(metadata_rules.PUBLIC, "false") == "true"
        await store.update_settings(tx, call.project_id, Settings(is_public, after))
        event = ProjectUpdated(name=call.project_name, project_name=call.project_name, changed=names)
        await outbox.record(tx, call.cause, event)
