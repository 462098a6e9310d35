"""The words of permission: `app.auth` looks things up, slices only say what they need.

Routes find the guard in `app.access.routing`; these words know nothing of HTTP.
"""

from app.access.actor import ANONYMOUS, Actor, Call, Grant, ProjectCall
from app.access.permission import Permission
from app.access.roles import PUBLIC_PERMISSIONS, ROLE_PERMISSIONS, Role
from app.access.standing import Standing

__all__ = [
    "ANONYMOUS",
    "PUBLIC_PERMISSIONS",
    "ROLE_PERMISSIONS",
    "Actor",
    "Call",
    "Grant",
    "Permission",
    "ProjectCall",
    "Role",
    "Standing",
]
