"""Making projects by the management API: who may, and with what."""

import re
from typing import Final

from app.access import Permission, ProjectCall
from app.configuration.current import current
from app.db import ForeignKeyViolation
from app.harbor.errors import BadRequest, Conflict, Forbidden
from app.projects import metadata_rules
from app.projects.create import ProjectNameTaken, add_project
from app.projects.model import Settings
from app.projects.schemas import ProjectReq
from app.resources import Resources

# Stricter than what a push takes: Harbor's own (its `utils.IsLegalLength` and `validProjectName`).
_NAME: Final = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_MAX_HARD_BYTES: Final = 1 << 50


async def found_project(r: Resources, call: ProjectCall, wanted: ProjectReq) -> int:
    """Make a project, whose administrator the caller becomes, and return the id.

    Raises:
        Forbidden: the caller may not make projects, or is removed at this moment.
        BadRequest: the name, the metadata or the limit cannot be, or it is to be a proxy.
        Conflict: the name is taken.
    """
    await _check_may_create(r, call)
    if _NAME.fullmatch(wanted.project_name) is None:
        raise BadRequest("project_name: 1 to 255 lower-case letters and digits, with single . _ - between")
    if wanted.registry_id:
        raise BadRequest("registry_id: projects that cache another registry do not exist yet")
    check_no_allowlist(wanted)
    metadata = metadata_rules.of_request(wanted.metadata or {})
    is_public = metadata.pop(metadata_rules.PUBLIC, "true" if wanted.public else "false") == "true"
    hard_bytes = _hard_bytes(wanted.storage_limit) if call.standing.is_sysadmin else None
    async with r.database.transaction() as tx:
        try:
            return await add_project(
                tx,
                wanted.project_name,
                call.cause,
                owner_id=call.actor.user_id,
                settings=Settings(is_public, metadata),
                hard_bytes=hard_bytes,
            )
        except ProjectNameTaken:
            raise Conflict(f"there is a project {wanted.project_name} already") from None
        except ForeignKeyViolation:
            raise Forbidden("the account that asks was removed") from None


def check_no_allowlist(wanted: ProjectReq) -> None:
    """Raise BadRequest where CVEs are to be allowed: nobody would look at them yet."""
    if wanted.cve_allowlist is not None and wanted.cve_allowlist.items:
        raise BadRequest("cve_allowlist: CVEs of projects cannot be allowed yet")


async def _check_may_create(r: Resources, call: ProjectCall) -> None:
    """Raise Forbidden unless the caller may make projects: everybody, or as is configured."""
    if call.standing.may(Permission.SYSTEM_PROJECT_CREATE):
        return
    if call.actor.robot_id is not None:
        raise Forbidden("only robots of the system that may create projects can do this")
    if (await current(r)).project_creation_restriction != "everyone":
        raise Forbidden("only administrators create projects here")


def _hard_bytes(limit: int | None) -> int | None:
    """Return an administrator's limit; None, as 0 is to Harbor, is the configured one."""
    if not limit:
        return None
    if not -1 <= limit <= _MAX_HARD_BYTES:
        raise BadRequest(f"storage_limit: -1, or up to {_MAX_HARD_BYTES} bytes")
    return limit
