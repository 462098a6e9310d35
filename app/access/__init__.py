"""The words of permission: `app.auth` looks things up, slices only say what they need.

Routes find the guard in `app.access.routing`; these words know nothing of HTTP.
"""

from app.access.actor import ANONYMOUS, Actor, Call, Grant
from app.access.permission import ROLE_PERMISSIONS, Permission, Role

__all__ = [
    "ANONYMOUS",
    "ROLE_PERMISSIONS",
    "Actor",
    "Call",
    "Grant",
    "Permission",
    "Role",
]
