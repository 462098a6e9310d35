"""Statements on projects as the management API shows them."""

from datetime import datetime
from typing import Final

from app.access import Role
from app.db import SQL, Column, Listing, Statements
from app.projects.model import Project, Summary

_COLUMNS: Final = """
    p.id, p.name, p.owner_id, coalesce(u.username, '') AS owner_name, p.is_public, p.metadata,
    (SELECT count(*) FROM repositories r WHERE r.project_id = p.id) AS repo_count,
    ARRAY(
        SELECT m.role FROM project_members m WHERE m.project_id = p.id AND m.user_id = %(user_id)s
        UNION
        SELECT m.role FROM user_group_members g JOIN project_members m ON m.group_id = g.group_id
        WHERE g.user_id = %(user_id)s AND m.project_id = p.id
    ) AS roles,
    p.created_at, p.updated_at
"""
_RANKS: Final = {role: rank for rank, role in enumerate(Role)}


def _project(*, roles: list[str], **columns: object) -> Project:
    held = sorted((Role(role) for role in roles), key=_RANKS.__getitem__)
    return Project(roles=tuple(held), **columns)  # type: ignore[arg-type]  # columns by their names


FIND_PROJECT = SQL(
    """
    SELECT {columns} FROM projects p LEFT JOIN users u ON u.id = p.owner_id WHERE p.id = %(project_id)s
    """.replace("{columns}", _COLUMNS)
)


async def find_project(statements: Statements, project_id: int, *, user_id: int | None) -> Project | None:
    """Return a project as a user sees it."""
    return await statements.maybe(_project, FIND_PROJECT, project_id=project_id, user_id=user_id)


# Who may see a project: everybody a public one, its members, and robots that may read it and are not
# denied it.
_VISIBLE: Final = """
    %(sees_all)s OR p.is_public OR p.id IN (
        SELECT m.project_id FROM project_members m WHERE m.user_id = %(user_id)s
        UNION
        SELECT m.project_id FROM user_group_members g JOIN project_members m ON m.group_id = g.group_id
        WHERE g.user_id = %(user_id)s
        UNION
        SELECT held.id FROM robots b
        CROSS JOIN LATERAL jsonb_array_elements(b.permissions) entry
        CROSS JOIN LATERAL jsonb_array_elements(entry->'access') access
        JOIN projects held ON entry->>'namespace' = '*' OR held.id = (entry->>'project_id')::bigint
        WHERE b.id = %(robot_id)s AND entry->>'kind' = 'project'
            AND access->>'resource' = 'project' AND access->>'action' = 'read'
        GROUP BY held.id HAVING bool_and(coalesce(access->>'effect', '') <> 'deny')
    )
"""

VISIBLE = Listing(
    _project,
    rows="""
    WITH page AS (
        SELECT p.id FROM projects p WHERE ({visible}) AND {conditions}
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT {columns} FROM page JOIN projects p ON p.id = page.id LEFT JOIN users u ON u.id = p.owner_id
    ORDER BY {order}
    """.replace("{columns}", _COLUMNS).replace("{visible}", _VISIBLE),
    count="SELECT count(*) FROM projects p WHERE ({visible}) AND {conditions}".replace("{visible}", _VISIBLE),
    columns={
        "project_id": Column("p.id", int),
        "name": Column("p.name"),
        "public": Column("p.is_public", bool),
        "owner_id": Column("p.owner_id", int),
        "owner": Column("(SELECT o.username FROM users o WHERE o.id = p.owner_id)"),
        "creation_time": Column("p.created_at", datetime),
        "update_time": Column("p.updated_at", datetime),
    },
    order="p.name",
)

FIND_SUMMARY = SQL("""
    SELECT (SELECT count(*) FROM repositories r WHERE r.project_id = p.id) AS repo_count,
        q.hard_bytes, q.used_bytes,
        (
            SELECT coalesce(json_object_agg(held.role, held.number), '{}') FROM (
                SELECT m.role, count(*) AS number FROM project_members m
                WHERE m.project_id = p.id GROUP BY m.role
            ) held
        ) AS members
    FROM projects p JOIN quotas q ON q.project_id = p.id
    WHERE p.id = %(project_id)s
""")


async def find_summary(statements: Statements, project_id: int) -> Summary | None:
    """Return how much there is in a project."""
    return await statements.maybe(Summary, FIND_SUMMARY, project_id=project_id)
