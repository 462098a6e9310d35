"""Look-ups that decide: who somebody is, and what that means in a project."""

from msgspec import Struct

from app.access import Role
from app.db import Database, Prepared
from app.users.model import User

FIND_USER = Prepared(
    "find_user_by_name",
    ("text[]",),
    """
    SELECT u.id, u.username, u.password_hash, u.is_sysadmin, u.is_disabled
    FROM unnest($1) WITH ORDINALITY AS asked (username, place)
    LEFT JOIN users u ON lower(u.username) = lower(asked.username)
    ORDER BY asked.place
    """,
)


async def find_user(database: Database, username: str) -> User | None:
    """Return the user of that name, in whatever case."""
    row = await database.look_up(FIND_USER, username)
    return None if row[0] is None else User(*row)


class Standing(Struct, frozen=True):
    """What a user is in a project."""

    is_sysadmin: bool
    is_project: bool
    is_public: bool
    role: Role | None


FIND_STANDING = Prepared(
    "find_standing",
    ("bigint[]", "text[]"),
    """
    SELECT coalesce(u.is_sysadmin, false), p.id IS NOT NULL, coalesce(p.is_public, false), m.role
    FROM unnest($1, $2) WITH ORDINALITY AS asked (user_id, project_name, place)
    LEFT JOIN users u ON u.id = asked.user_id AND NOT u.is_disabled
    LEFT JOIN projects p ON p.name = asked.project_name
    LEFT JOIN project_members m ON m.project_id = p.id AND m.user_id = u.id
    ORDER BY asked.place
    """,
)


async def get_standing(database: Database, user_id: int | None, project: str) -> Standing:
    """Return what the user (None: nobody) is in the project of that name, whether there is one or not."""
    is_sysadmin, is_project, is_public, role = await database.look_up(FIND_STANDING, user_id or 0, project)
    return Standing(is_sysadmin, is_project, is_public, Role(role) if role else None)
