"""Roles in a project, and which role has which permission (Harbor's `rbac/project/rbac_role.go`)."""

from enum import StrEnum
from typing import Final

from app.access.permission import Permission


class Role(StrEnum):
    """A member's role in a project."""

    PROJECT_ADMIN = "projectAdmin"
    MAINTAINER = "maintainer"
    DEVELOPER = "developer"
    GUEST = "guest"
    LIMITED_GUEST = "limitedGuest"

    @property
    def number(self) -> int:
        """The role's id in Harbor's API."""
        return _NUMBERS[self]

    @classmethod
    def numbered(cls, number: int) -> "Role | None":
        """Return the role of that id in Harbor's API."""
        return next((role for role, known in _NUMBERS.items() if known == number), None)


_NUMBERS: Final = {
    Role.PROJECT_ADMIN: 1,
    Role.DEVELOPER: 2,
    Role.GUEST: 3,
    Role.MAINTAINER: 4,
    Role.LIMITED_GUEST: 5,
}

_ACTIONS: Final = {"C": "create", "R": "read", "U": "update", "D": "delete", "L": "list"}

# One column per role. Letters as above, other actions after a `+`; `-` is nothing at all.
_MATRIX: Final = """
    resource             projectAdmin     maintainer       developer       guest    limitedGuest
    project              RUD              R                R               R        R
    member               CRUDL            RL               RL              RL       -
    metadata             CRUD             R                -               -        -
    log                  L                -                -               -        -
    label                CRUDL            CRUDL            RL              RL       -
    quota                R                R                R               R        R
    repository           RUDL+pull+push   RUDL+pull+push   RUL+pull+push   RL+pull  RL+pull
    tag-retention        CRUDL+operate    CRUDL+operate    CRUDL+operate   -        -
    immutable-tag        CUDL             CUDL             -               -        -
    configuration        RU               R                R               R        R
    robot                CRUDL            RL               RL              RL       -
    notification-policy  CRUDL            RL               -               -        -
    scan                 CR+stop          CR+stop          R               R        R
    sbom                 CR+stop          CR+stop          R               R        R
    scanner              RC               R                R               R        R
    artifact             CRDL             CRDL             CRL             RL       RL
    artifact-addition    R                R                R               R        R
    tag                  CDL              CDL              CL              L        L
    accessory            L                L                L               L        L
    artifact-label       CD               CD               CD              -        -
    preheat-policy       CRUDL            -                -               -        -
    export-cve           CRL              CRL              CRL             -        -
"""

_PUBLIC: Final = """
    resource             anybody
    project              R
    label                RL
    repository           RL+pull
    scan                 R
    sbom                 R
    scanner              R
    tag                  L
    artifact             RL
    artifact-addition    R
    accessory            L
"""


def _columns(table: str) -> dict[str, frozenset[Permission]]:
    heads, *rows = (line.split() for line in table.strip().splitlines())
    granted: dict[str, set[Permission]] = {name: set() for name in heads[1:]}
    for resource, *cells in rows:
        for name, cell in zip(granted, cells, strict=True):
            letters, *words = cell.strip("-").split("+")
            granted[name] |= {
                Permission(f"{resource}:{action}") for action in (*(_ACTIONS[x] for x in letters), *words)
            }
    return {name: frozenset(permissions) for name, permissions in granted.items()}


ROLE_PERMISSIONS: Final = {Role(name): permissions for name, permissions in _columns(_MATRIX).items()}
PUBLIC_PERMISSIONS: Final = _columns(_PUBLIC)["anybody"]
"""What anybody may in a public project, known or not."""
