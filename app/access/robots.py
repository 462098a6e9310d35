"""What robot accounts may, as Harbor's API writes it: resources and actions, by project or for the system."""

from functools import lru_cache
from typing import Final, Literal

import msgspec
from msgspec import Struct

from app.access.permission import Permission

ALL_PROJECTS: Final = "*"
SYSTEM_NAMESPACE: Final = "/"


class Access(Struct, frozen=True):
    """One action on one resource; `deny` takes it from what other entries allow."""

    resource: str
    action: str
    effect: Literal["", "allow", "deny"] = "allow"


class RobotPermission(Struct, frozen=True):
    """Accesses in one project, in all of them (`*`), or on the system (`/`)."""

    kind: Literal["project", "system"]
    namespace: str
    access: tuple[Access, ...]

    def concerns(self, project: str) -> bool:
        """Whether it is about the system, or about this project."""
        return self.kind == "system" or self.namespace in {project, ALL_PROJECTS}

    def permission(self, access: Access) -> Permission | None:
        """Return the permission that an access means, or None for one that this registry does not know."""
        prefix = "system/" if self.kind == "system" else ""
        try:
            return Permission(f"{prefix}{access.resource}:{access.action}")
        except ValueError:
            return None


@lru_cache(maxsize=4_096)
def robot_permissions(document: str, project: str) -> frozenset[Permission]:
    """Return what a robot's permissions, as JSON, come to on the system and in a project."""
    allowed, denied = set[Permission](), set[Permission]()
    for entry in msgspec.json.decode(document, type=tuple[RobotPermission, ...]):
        for access in entry.access if entry.concerns(project) else ():
            permission = entry.permission(access)
            if permission is not None:
                (denied if access.effect == "deny" else allowed).add(permission)
    return frozenset(allowed - denied)
