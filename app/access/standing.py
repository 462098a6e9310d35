"""What a caller is at this moment, in the installation and in one project."""

from datetime import datetime

from msgspec import Struct

from app.access.permission import Permission
from app.access.roles import PUBLIC_PERMISSIONS, ROLE_PERMISSIONS, Role


class Standing(Struct, frozen=True):
    """Looked up for every request, so that whoever loses a right loses it at the next request.

    `robot_permissions` is None for people, `expires_at` is when a robot stops being known. `project_id` is
    None where there is no such project, or none was asked about. `is_read_only` is about the whole system:
    nobody may change anything.
    """

    is_known: bool = False
    is_sysadmin: bool = False
    project_id: int | None = None
    project_name: str = ""
    is_public: bool = False
    roles: tuple[Role, ...] = ()
    robot_permissions: frozenset[Permission] | None = None
    expires_at: datetime | None = None
    is_read_only: bool = False

    def may(self, permission: Permission) -> bool:
        """Whether the caller may, on the system or on the project that was asked about."""
        if permission in {Permission.ANYONE, Permission.EVERYBODY}:
            return True
        if permission is Permission.LOGIN or self.is_sysadmin:
            return self.is_known
        if self.robot_permissions is not None and permission in self.robot_permissions:
            return True
        if self.is_public and permission in PUBLIC_PERMISSIONS:
            return True
        return any(permission in ROLE_PERMISSIONS[role] for role in self.roles)
