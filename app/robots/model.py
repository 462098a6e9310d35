"""What a robot account is."""

from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from app.access.robots import HeldPermission

FOREVER: Final = -1


class Robot(Struct, frozen=True):
    """An account of a program, of a project or (None) of the system; `duration_days` -1 is without end."""

    id: int
    project_id: int | None
    name: str
    description: str
    permissions: tuple[HeldPermission, ...]
    duration_days: int
    expires_at: datetime | None
    is_disabled: bool
    creator_kind: str
    creator_id: int | None
    created_at: datetime
    updated_at: datetime

    @property
    def level(self) -> str:
        """Harbor's word for whose robot it is."""
        return "system" if self.project_id is None else "project"

    @property
    def expires_at_second(self) -> int:
        """When it stops working, in seconds since 1970; -1: never."""
        return FOREVER if self.expires_at is None else int(self.expires_at.timestamp())


class RobotWanted(Struct, frozen=True):
    """What can be said of a robot, and changed later."""

    description: str
    permissions: tuple[HeldPermission, ...]
    duration_days: int
    is_disabled: bool

    @property
    def permissions_json(self) -> str:
        """The permissions as they lie in the database."""
        return msgspec.json.encode(self.permissions).decode()
