"""Look-ups that decide: who somebody is, and what that means in a project."""

from msgspec import Struct

from app.access import Actor, Role, Standing
from app.access.robots import robot_permissions
from app.db import Database, Prepared
from app.users.model import User

FIND_USER = Prepared(
    "find_user_by_name",
    ("text[]",),
    """
    SELECT u.id, u.username, u.password_hash, u.is_sysadmin, u.is_disabled, u.credential_version
    FROM unnest($1) WITH ORDINALITY AS asked (username, place)
    LEFT JOIN users u ON lower(u.username) = lower(asked.username)
    ORDER BY asked.place
    """,
)


async def find_user(database: Database, username: str) -> User | None:
    """Return the user of that name, in whatever case."""
    row = await database.look_up(FIND_USER, username)
    return None if row[0] is None else User(*row)


class RobotLogin(Struct, frozen=True):
    """What a robot's login is checked against."""

    id: int
    name: str
    secret_hash: str
    credential_version: int


FIND_ROBOT = Prepared(
    "find_robot_by_name",
    ("text[]",),
    """
    SELECT b.id, b.name, b.secret_hash, b.credential_version
    FROM unnest($1) WITH ORDINALITY AS asked (name, place)
    LEFT JOIN robots b ON b.name = asked.name AND NOT b.is_disabled
        AND (b.expires_at IS NULL OR b.expires_at > now())
    ORDER BY asked.place
    """,
)


async def find_robot(database: Database, name: str) -> RobotLogin | None:
    """Return the robot that logs in by that name, less the prefix; None for one that is disabled or over."""
    row = await database.look_up(FIND_ROBOT, name)
    return None if row[0] is None else RobotLogin(*row)


FIND_STANDING = Prepared(
    "find_standing",
    ("bigint[]", "bigint[]", "integer[]", "bigint[]", "text[]"),
    """
    SELECT u.id IS NOT NULL OR b.id IS NOT NULL, coalesce(u.is_sysadmin, false), p.id, p.name,
        coalesce(p.is_public, false),
        (SELECT array_agg(m.role) FROM project_members m WHERE m.project_id = p.id AND m.user_id = u.id)
        || (SELECT array_agg(m.role) FROM user_group_members g
            JOIN project_members m ON m.group_id = g.group_id AND m.project_id = p.id
            WHERE g.user_id = u.id),
        b.permissions::text, b.expires_at,
        EXISTS (SELECT FROM configurations WHERE name = 'read_only' AND value = 'true'),
        (SELECT value FROM access_epoch)
    FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY
        AS asked (user_id, robot_id, version, project_id, project_name, place)
    LEFT JOIN users u ON u.id = asked.user_id AND NOT u.is_disabled
        AND asked.version IN (0, u.credential_version)
    LEFT JOIN robots b ON b.id = asked.robot_id AND NOT b.is_disabled
        AND asked.version IN (0, b.credential_version) AND (b.expires_at IS NULL OR b.expires_at > now())
    LEFT JOIN LATERAL (
        SELECT id, name, is_public FROM projects WHERE name = asked.project_name
        UNION ALL
        SELECT id, name, is_public FROM projects WHERE id = asked.project_id
    ) p ON true
    ORDER BY asked.place
    """,
)


async def get_standing(
    database: Database, actor: Actor, *, project_id: int, project_name: str
) -> tuple[int, Standing]:
    """Return what a user or robot is now, and in the project of an id (0: none) or name.

    Nobody, where the credentials that were shown have been replaced. With it comes the number that grows with
    every change to who may do what, as of the same moment.
    """
    (
        is_known,
        is_sysadmin,
        found_id,
        found_name,
        is_public,
        roles,
        permissions,
        expires_at,
        is_read_only,
        epoch,
    ) = await database.look_up(
        FIND_STANDING,
        *(actor.user_id or 0, actor.robot_id or 0, actor.credential_version or 0),
        *(project_id, project_name),
    )
    return epoch, Standing(
        is_known=is_known,
        is_sysadmin=is_sysadmin,
        project_id=found_id,
        project_name=found_name or "",
        is_public=is_public,
        roles=tuple(Role(role) for role in roles or ()),
        expires_at=expires_at,
        robot_permissions=None if permissions is None else robot_permissions(permissions, found_id or 0),
        is_read_only=is_read_only,
    )


CHECK_EPOCH = Prepared("check_access_epoch", ("bigint",), "SELECT 1 / (value = $1)::int FROM access_epoch")
