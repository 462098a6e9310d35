"""What robot accounts may, as Harbor's API writes it: resources and actions, by project or for the system."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from app.access.permission import Permission

ALL_PROJECTS: Final = "*"
SYSTEM_NAMESPACE: Final = "/"

_ON_SYSTEM: Final = """
    audit-log            list
    preheat-instance     create read update delete list
    project              create list
    replication-policy   create read update delete list
    replication          create read list
    replication-adapter  list
    registry             create read update delete list
    scan-all             create read update stop
    system-volumes       read
    garbage-collection   create read update list stop
    purge-audit          create read update list stop
    jobservice-monitor   list stop
    scanner              create read update delete list
    label                create read update delete
    security-hub         read list
    catalog              read
    quota                read update list
    robot                create read delete list
    user                 create read update delete list
    ldap-user            create list
    user-group           create read update delete list
"""

_ON_PROJECT: Final = """
    log                  list
    project              read update delete
    metadata             create read update delete list
    repository           read update delete list pull push
    artifact             create read delete list
    scan                 create read stop
    sbom                 create read stop
    tag                  create delete list
    accessory            list
    artifact-addition    read
    artifact-label       create delete
    scanner              create read
    preheat-policy       create read update delete list
    immutable-tag        create update delete list
    notification-policy  create read update delete list
    tag-retention        create read update delete list
    label                create read update delete list
    quota                read
    robot                create read delete list
    export-cve           create read
    member               create read update delete list
"""


def _permissions(table: str, prefix: str) -> tuple[Permission, ...]:
    rows = [line.split() for line in table.strip().splitlines()]
    return tuple(
        Permission(f"{prefix}{resource}:{action}") for resource, *actions in rows for action in actions
    )


GRANTABLE_ON_SYSTEM: Final = _permissions(_ON_SYSTEM, "system/")
GRANTABLE_ON_PROJECTS: Final = _permissions(_ON_PROJECT, "")
"""What robots can be given, and no more (Harbor's `rbac/const.go`)."""

_GRANTABLE: Final = frozenset((*GRANTABLE_ON_SYSTEM, *GRANTABLE_ON_PROJECTS))


class Access(Struct, frozen=True, omit_defaults=True):
    """One action on one resource; `deny` takes it from what other entries allow."""

    resource: Annotated[str, Meta(max_length=64)]
    action: Annotated[str, Meta(max_length=64)]
    effect: Literal["", "allow", "deny"] = ""


class RobotPermission(Struct, frozen=True):
    """Accesses in one project, in all of them (`*`), or on the system (`/`)."""

    kind: Literal["project", "system"]
    namespace: Annotated[str, Meta(max_length=255)]
    access: Annotated[tuple[Access, ...], Meta(max_length=256)]

    def permission(self, access: Access) -> Permission | None:
        """Return the permission that an access means, or None for one that no robot can have."""
        prefix = "system/" if self.kind == "system" else ""
        try:
            permission = Permission(f"{prefix}{access.resource}:{access.action}")
        except ValueError:
            return None
        return permission if permission in _GRANTABLE else None

    def permissions(self, *, denied: bool) -> frozenset[Permission]:
        """Return what the accesses allow, or what they deny."""
        chosen = (self.permission(access) for access in self.access if (access.effect == "deny") is denied)
        return frozenset(permission for permission in chosen if permission is not None)


class HeldPermission(RobotPermission, frozen=True, omit_defaults=True):
    """What a robot holds: by the project's id, since a name can come to be another project's."""

    project_id: int = 0

    def concerns(self, project_id: int) -> bool:
        """Whether it is about the system, about all projects, or about this one."""
        return self.kind == "system" or self.namespace == ALL_PROJECTS or self.project_id == project_id > 0


@lru_cache(maxsize=4_096)
def robot_permissions(document: str, project_id: int) -> frozenset[Permission]:
    """Return what a robot's permissions, as JSON, come to on the system and in a project (0: in none)."""
    return _sum(entry for entry in _decoded(document) if entry.concerns(project_id))


def is_within(wanted: Iterable[HeldPermission], document: str) -> bool:
    """Whether a robot with these permissions, as JSON, has everything that is wanted."""
    held = _decoded(document)
    denied_anywhere = frozenset[Permission]().union(*(entry.permissions(denied=True) for entry in held))
    for entry in wanted:
        allowed = _sum(own for own in held if own.concerns(entry.project_id))
        # Whoever is denied something in one project does not have it in all of them.
        if not entry.permissions(denied=False) <= (
            allowed if entry.project_id else allowed - denied_anywhere
        ):
            return False
    return True


def _decoded(document: str) -> tuple[HeldPermission, ...]:
    return msgspec.json.decode(document, type=tuple[HeldPermission, ...])


def _sum(entries: Iterable[HeldPermission]) -> frozenset[Permission]:
    known = list(entries)
    allowed = frozenset[Permission]().union(*(entry.permissions(denied=False) for entry in known))
    return allowed.difference(*(entry.permissions(denied=True) for entry in known))
