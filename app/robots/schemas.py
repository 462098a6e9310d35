"""Robots as JSON (Harbor's Robot, RobotCreate, RobotCreated, RobotSec)."""

from datetime import datetime
from typing import Annotated, Literal, Self, TypeAlias

from msgspec import Meta, Struct

from app.access.robots import RobotPermission
from app.robots.model import Robot

Name: TypeAlias = Annotated[str, Meta(max_length=255)]
Description: TypeAlias = Annotated[str, Meta(max_length=1_024)]
Secret: TypeAlias = Annotated[
    str, Meta(max_length=128, description="8 characters or more, with upper case, lower case and a digit.")
]
Permissions: TypeAlias = Annotated[tuple[RobotPermission, ...], Meta(max_length=500)]
Level: TypeAlias = Literal["system", "project"]


class RobotAnswer(Struct, frozen=True, rename={"is_disabled": "disable"}):
    """A robot account; `expires_at` is in seconds since 1970, -1 is never."""

    id: int
    name: str
    description: str
    level: str
    duration: int
    editable: bool
    is_disabled: bool
    expires_at: int
    permissions: list[RobotPermission]
    creator_type: str
    creator_ref: int
    creation_time: datetime
    update_time: datetime

    @classmethod
    def of(cls, robot: Robot, prefix: str) -> Self:
        """Return a robot as clients see it."""
        return cls(
            id=robot.id,
            name=prefix + robot.name,
            description=robot.description,
            level=robot.level,
            duration=robot.duration_days,
            editable=True,
            is_disabled=robot.is_disabled,
            expires_at=robot.expires_at_second,
            permissions=[RobotPermission(p.kind, p.namespace, p.access) for p in robot.permissions],
            creator_type=robot.creator_kind,
            creator_ref=robot.creator_id or 0,
            creation_time=robot.created_at,
            update_time=robot.updated_at,
        )


class RobotCreate(Struct, frozen=True, rename={"is_disabled": "disable"}):
    """A robot account to make. Without a duration it lives as long as is configured."""

    name: Name
    level: Level
    permissions: Permissions = ()
    description: Description = ""
    duration: int | None = None
    is_disabled: bool = False
    secret: Secret = ""


class RobotCreated(Struct, frozen=True):
    """A new robot account, with its secret: it is not shown again."""

    id: int
    name: str
    secret: str
    creation_time: datetime
    expires_at: int


class RobotUpdate(Struct, frozen=True, rename={"is_disabled": "disable"}):
    """What a robot account becomes. Level and name have to be sent as they are."""

    name: Name
    level: Level
    permissions: Permissions = ()
    description: Description = ""
    duration: int | None = None
    is_disabled: bool = False


class RobotSecret(Struct, frozen=True, omit_defaults=True):
    """The secret to set, or none to have one made; the answer has the one that was made."""

    secret: Secret = ""
