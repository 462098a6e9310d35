"""Permissions, roles, and which role has which permission (Harbor's project roles)."""

from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """What a route can ask for."""

    ANYONE = "anyone"
    LOGIN = "login"
    CATALOG = "registry:catalog:*"
    PULL = "repository:pull"
    PUSH = "repository:push"
    DELETE = "repository:delete"

    @property
    def is_on_repository(self) -> bool:
        """Whether it is asked of one repository."""
        return self.startswith("repository:")

    @property
    def action(self) -> str:
        """The action as token scopes name it: `pull`, `push`, `delete`, `*`."""
        return self.partition(":")[2]


class Role(StrEnum):
    """A member's role in a project."""

    PROJECT_ADMIN = "projectAdmin"
    MAINTAINER = "maintainer"
    DEVELOPER = "developer"
    GUEST = "guest"
    LIMITED_GUEST = "limitedGuest"


ROLE_PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.PROJECT_ADMIN: frozenset({Permission.PULL, Permission.PUSH, Permission.DELETE}),
    Role.MAINTAINER: frozenset({Permission.PULL, Permission.PUSH, Permission.DELETE}),
    Role.DEVELOPER: frozenset({Permission.PULL, Permission.PUSH}),
    Role.GUEST: frozenset({Permission.PULL}),
    Role.LIMITED_GUEST: frozenset({Permission.PULL}),
}
