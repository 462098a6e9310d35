"""What a caller may do, as Harbor lists it."""

import re
from typing import Final

from app.access import Permission, Standing
from app.users.schemas import PermissionItem

_PROJECT: Final = re.compile(r"/project/([1-9][0-9]{0,17})")
_SYSTEM: Final = "/system"
_ITSELF: Final = "project"


def project_in(scope: str) -> int | None:
    """Return the project that a scope such as `/project/1` is about; None for another scope."""
    match = _PROJECT.fullmatch(scope.rstrip("/"))
    return int(match[1]) if match else None


def permissions_in(scope: str, standing: Standing, *, is_relative: bool) -> list[PermissionItem]:
    """Return what of a project, or of the system, the standing allows; nothing in another scope."""
    base = scope.rstrip("/")
    is_on_system = base == _SYSTEM
    if not is_on_system and standing.project_id is None:
        return []
    return [
        PermissionItem(_resource(permission, "" if is_relative else base), permission.action)
        for permission in Permission
        if (permission.is_on_system if is_on_system else permission.is_on_project)
        and standing.may(permission)
    ]


def _resource(permission: Permission, base: str) -> str:
    is_itself = permission.is_on_project and permission.resource == _ITSELF
    if not base:
        return "." if is_itself else permission.resource
    return base if is_itself else f"{base}/{permission.resource}"
