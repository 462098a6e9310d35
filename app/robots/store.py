"""Statements on robots."""

from datetime import datetime
from typing import Final

import msgspec

from app.access import Actor
from app.access.robots import HeldPermission
from app.db import SQL, Column, Listing, Statements, Transaction
from app.robots.model import Robot, RobotWanted


def _robot(*, permissions: object, **columns: object) -> Robot:
    held = msgspec.convert(permissions or [], tuple[HeldPermission, ...])
    return Robot(permissions=held, **columns)  # type: ignore[arg-type]  # columns by their names


_ONE: Final = """
    SELECT b.id, b.project_id, b.name, b.description, b.duration_days, b.expires_at, b.is_disabled,
        b.creator_kind, b.creator_id, b.created_at, b.updated_at,
        (SELECT jsonb_agg(held.entry ORDER BY held.place)
            FROM jsonb_array_elements(b.permissions) WITH ORDINALITY AS held (entry, place)
            WHERE NOT held.entry ? 'project_id'
                OR EXISTS (SELECT FROM projects p WHERE p.id = (held.entry->>'project_id')::bigint)
        ) AS permissions
    FROM robots b WHERE b.id = %(robot_id)s
"""
FIND_ROBOT = SQL(_ONE)


async def find_robot(statements: Statements, robot_id: int) -> Robot | None:
    """Return a robot without what it held in projects that are gone."""
    return await statements.maybe(_robot, FIND_ROBOT, robot_id=robot_id)


LOCK_ROBOT = SQL(_ONE + "FOR UPDATE OF b")


async def lock_robot(tx: Transaction, robot_id: int) -> Robot | None:
    """Return the same of a robot that nobody else changes until `tx` ends."""
    return await tx.maybe(_robot, LOCK_ROBOT, robot_id=robot_id)


ROBOTS = Listing(
    _robot,
    rows="""
        SELECT b.id, b.project_id, b.name, b.description, b.duration_days, b.expires_at, b.is_disabled,
            b.creator_kind, b.creator_id, b.created_at, b.updated_at,
            (SELECT jsonb_agg(held.entry ORDER BY held.place)
                FROM jsonb_array_elements(b.permissions) WITH ORDINALITY AS held (entry, place)
                WHERE NOT held.entry ? 'project_id'
                    OR EXISTS (SELECT FROM projects p WHERE p.id = (held.entry->>'project_id')::bigint)
            ) AS permissions
        FROM robots b
        WHERE (b.project_id = %(project_id)s OR (%(project_id)s = 0 AND b.project_id IS NULL))
            AND {conditions}
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    """,
    count="""
        SELECT count(*) FROM robots b
        WHERE (b.project_id = %(project_id)s OR (%(project_id)s = 0 AND b.project_id IS NULL))
            AND {conditions}
    """,
    columns={
        "id": Column("b.id", int),
        "name": Column("b.name"),
        "description": Column("b.description"),
        "duration": Column("b.duration_days", int),
        "disabled": Column("b.is_disabled", bool),
        "expires_at": Column("coalesce(extract(epoch FROM b.expires_at)::bigint, -1)", int),
        "creator_type": Column("b.creator_kind"),
        "creator_ref": Column("b.creator_id", int),
        "creation_time": Column("b.created_at", datetime),
        "update_time": Column("b.updated_at", datetime),
    },
    order="b.name",
)

INSERT_ROBOT = SQL("""
    INSERT INTO robots (project_id, name, description, secret_hash, permissions, duration_days, expires_at,
        is_disabled, creator_kind, creator_id)
    VALUES (%(project_id)s::bigint, %(name)s, %(description)s, %(secret_hash)s, %(permissions)s::jsonb,
        %(duration_days)s::int,
        CASE WHEN %(duration_days)s::int > 0 THEN now() + make_interval(days => %(duration_days)s::int) END,
        %(is_disabled)s, %(creator_kind)s, %(creator_id)s::bigint)
    ON CONFLICT (name) DO NOTHING RETURNING id
""")


async def insert_robot(
    tx: Transaction,
    name: str,
    wanted: RobotWanted,
    *,
    project_id: int | None,
    secret_hash: str,
    creator: Actor,
) -> int | None:
    """Add a robot and return the id, or None when the name is taken; raise ForeignKeyViolation."""
    found = await tx.value(
        INSERT_ROBOT,
        project_id=project_id,
        name=name,
        description=wanted.description,
        secret_hash=secret_hash,
        permissions=wanted.permissions_json,
        duration_days=wanted.duration_days,
        is_disabled=wanted.is_disabled,
        creator_kind="local" if creator.robot_id is None else "robot",
        creator_id=creator.user_id if creator.robot_id is None else creator.robot_id,
    )
    return None if found is None else int(found)


UPDATE_ROBOT = SQL("""
    UPDATE robots SET description = %(description)s, permissions = %(permissions)s::jsonb,
        is_disabled = %(is_disabled)s, duration_days = %(duration_days)s::int, updated_at = now(),
        expires_at = CASE
            WHEN %(duration_days)s::int > 0 THEN created_at + make_interval(days => %(duration_days)s::int)
        END
    WHERE id = %(robot_id)s
""")


async def update_robot(tx: Transaction, robot_id: int, wanted: RobotWanted) -> None:
    """Change what can be said of a robot; its life counts from when it was made."""
    await tx.run(
        UPDATE_ROBOT,
        robot_id=robot_id,
        description=wanted.description,
        permissions=wanted.permissions_json,
        is_disabled=wanted.is_disabled,
        duration_days=wanted.duration_days,
    )


UPDATE_SECRET = SQL(
    "UPDATE robots SET secret_hash = %(secret_hash)s, updated_at = now() WHERE id = %(robot_id)s"
)


async def update_secret(tx: Transaction, robot_id: int, secret_hash: str) -> None:
    """Replace a robot's secret."""
    await tx.run(UPDATE_SECRET, robot_id=robot_id, secret_hash=secret_hash)


DELETE_ROBOT = SQL("DELETE FROM robots WHERE id = %(robot_id)s")


async def delete_robot(tx: Transaction, robot_id: int) -> None:
    """Remove a robot."""
    await tx.run(DELETE_ROBOT, robot_id=robot_id)


FIND_PERMISSIONS = SQL("SELECT permissions::text FROM robots WHERE id = %(robot_id)s")


async def find_permissions(tx: Transaction, robot_id: int) -> str | None:
    """Return what a robot holds, as JSON."""
    found = await tx.value(FIND_PERMISSIONS, robot_id=robot_id)
    return None if found is None else str(found)


LIST_PROJECT_IDS = SQL("SELECT json_object_agg(name, id) FROM projects WHERE name = ANY(%(names)s)")


async def list_project_ids(tx: Transaction, names: list[str]) -> dict[str, int]:
    """Return the ids of those of these projects that there are, by name."""
    return await tx.value(LIST_PROJECT_IDS, names=names) or {}
