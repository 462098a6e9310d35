"""The words of permission. `app.auth` looks things up; slices only say what they need."""

from app.access.actor import ANONYMOUS, Actor, Grant
from app.access.permission import ROLE_PERMISSIONS, Permission, Role
from app.access.routing import (
    AUTHORITY,
    Authority,
    Route,
    actor_of,
    cause_of,
    guarded,
    repository_of,
)

__all__ = [
    "ANONYMOUS",
    "AUTHORITY",
    "ROLE_PERMISSIONS",
    "Actor",
    "Authority",
    "Grant",
    "Permission",
    "Role",
    "Route",
    "actor_of",
    "cause_of",
    "guarded",
    "repository_of",
]
