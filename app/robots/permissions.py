"""What a robot is to be allowed: whether it makes sense, and whether the caller may pass it on."""

from typing import Final

from app.access import ProjectCall
from app.access.robots import ALL_PROJECTS, SYSTEM_NAMESPACE, HeldPermission, RobotPermission, is_within
from app.db import Transaction
from app.harbor.errors import BadRequest, Denied, NotFound
from app.robots import store

_TOO_MUCH: Final = "permissions: a robot gives other robots nothing that it does not have itself"


def project_of(level: str, wanted: tuple[RobotPermission, ...]) -> str:
    """Return the name of the project that a robot is to belong to, empty for the system; raise BadRequest."""
    if level == "system":
        return ""
    match wanted:
        case (RobotPermission(kind="project", namespace=name),) if name and name != ALL_PROJECTS:
            return name
        case _:
            raise BadRequest(
                "permissions: a robot of a project has one entry, of kind project, with its name"
            )


async def held(
    tx: Transaction, call: ProjectCall, wanted: tuple[RobotPermission, ...]
) -> tuple[HeldPermission, ...]:
    """Return the permissions with the ids of the projects that they name.

    Raises:
        BadRequest: robots can't be given that.
        NotFound: there is no such project.
        Denied: the caller is a robot and has less than that.
    """
    _check(wanted)
    is_person = call.actor.robot_id is None
    names = {entry.namespace for entry in wanted if entry.kind == "project"} - {ALL_PROJECTS}
    known = await store.list_project_ids(tx, sorted(names)) if names else {}
    if missing := sorted(names - known.keys()):
        # A robot is not told which projects there are.
        raise NotFound(f"permissions: there is no project {missing[0]}") if is_person else Denied(_TOO_MUCH)
    result = tuple(
        HeldPermission(entry.kind, entry.namespace, entry.access, known.get(entry.namespace, 0))
        for entry in wanted
    )
    if call.actor.robot_id is not None:
        own = await store.find_permissions(tx, call.actor.robot_id)
        if own is None or not is_within(result, own):
            raise Denied(_TOO_MUCH)
    return result


def _check(wanted: tuple[RobotPermission, ...]) -> None:
    if not wanted:
        raise BadRequest("permissions: say what the robot may do")
    for entry in wanted:
        if (entry.kind == "system") != (entry.namespace == SYSTEM_NAMESPACE):
            raise BadRequest("permissions: the namespace is `/` for the system, else a project's name or `*`")
        if not entry.access:
            raise BadRequest("permissions: an entry without access")
        for access in entry.access:
            if entry.permission(access) is None:
                raise BadRequest(
                    f"permissions: robots can't be given {entry.kind} {access.resource}:{access.action}; "
                    "GET /permissions lists what they can"
                )
