"""Statements on repositories for the management API."""

from datetime import datetime
from typing import Final

from app.db import SQL, Column, Listing, Statements, Transaction
from app.repositories.model import ACCESSORIES, MEMBERS, Repository

_COLUMNS: Final = (
    """
    r.id, r.project_id, r.name, r.description, r.pull_count, r.created_at,
    greatest(r.updated_at, (
        SELECT m.pushed_at FROM manifests m WHERE m.repository_id = r.id ORDER BY m.pushed_at DESC LIMIT 1
    )) AS updated_at,
    (SELECT count(*) FROM manifests m WHERE m.repository_id = r.id)
        - (SELECT count(*) FROM ({accessories} UNION {members}) other) AS artifact_count
""".replace("{accessories}", ACCESSORIES)
    .replace("{members}", MEMBERS)
    .replace("{of}", "= r.id")
)

FIND_REPOSITORY = SQL(
    """
    SELECT {columns} FROM repositories r WHERE r.name = %(name)s
    """.replace("{columns}", _COLUMNS)
)


async def find_repository(statements: Statements, name: str) -> Repository | None:
    """Return the repository of that full name."""
    return await statements.maybe(Repository, FIND_REPOSITORY, name=name)


# Who may list the repositories of a project: everybody in a public one, its members, and robots that
# have the permission there and are not denied it.
_VISIBLE: Final = """
    %(sees_all)s OR r.project_id IN (
        SELECT p.id FROM projects p WHERE p.is_public
        UNION
        SELECT m.project_id FROM project_members m WHERE m.user_id = %(user_id)s
        UNION
        SELECT m.project_id FROM user_group_members g JOIN project_members m ON m.group_id = g.group_id
        WHERE g.user_id = %(user_id)s
        UNION
        SELECT p.id FROM robots b
        CROSS JOIN LATERAL jsonb_array_elements(b.permissions) entry
        CROSS JOIN LATERAL jsonb_array_elements(entry->'access') access
        JOIN projects p ON entry->>'namespace' = '*' OR p.id = (entry->>'project_id')::bigint
        WHERE b.id = %(robot_id)s AND entry->>'kind' = 'project'
            AND access->>'resource' = 'repository' AND access->>'action' = 'list'
        GROUP BY p.id HAVING bool_and(coalesce(access->>'effect', '') <> 'deny')
    )
"""
_ROWS: Final = """
    WITH page AS (
        SELECT r.id FROM repositories r WHERE ({place}) AND {conditions}
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT {columns} FROM page JOIN repositories r ON r.id = page.id ORDER BY {order}
""".replace("{columns}", _COLUMNS)
_COUNT: Final = "SELECT count(*) FROM repositories r WHERE ({place}) AND {conditions}"
_FILTERS: Final = {
    "id": Column("r.id", int),
    "repository_id": Column("r.id", int),
    "project_id": Column("r.project_id", int),
    "name": Column("r.name"),
    "description": Column("r.description"),
    "pull_count": Column("r.pull_count", int),
    "creation_time": Column("r.created_at", datetime),
    "update_time": Column("r.updated_at", datetime),
}

OF_PROJECT = Listing(
    Repository,
    rows=_ROWS.replace("{place}", "r.project_id = %(project_id)s"),
    count=_COUNT.replace("{place}", "r.project_id = %(project_id)s"),
    columns=_FILTERS,
    order="r.created_at DESC, r.id DESC",
)
VISIBLE = Listing(
    Repository,
    rows=_ROWS.replace("{place}", _VISIBLE),
    count=_COUNT.replace("{place}", _VISIBLE),
    columns=_FILTERS,
    order="r.created_at DESC, r.id DESC",
)

UPDATE_DESCRIPTION = SQL("""
    UPDATE repositories SET description = %(description)s, updated_at = now() WHERE name = %(name)s
""")


async def update_description(tx: Transaction, name: str, *, description: str) -> bool:
    """Describe a repository; False when there is none of that name."""
    return await tx.run(UPDATE_DESCRIPTION, name=name, description=description) == 1


LOCK_REPOSITORY = SQL("SELECT id FROM repositories WHERE name = %(name)s FOR UPDATE")


async def lock_repository(tx: Transaction, name: str) -> int | None:
    """Return the id of a repository to which nobody can add anything until `tx` ends."""
    found = await tx.value(LOCK_REPOSITORY, name=name)
    return None if found is None else int(found)


DELETE_REPOSITORY = SQL("DELETE FROM repositories WHERE id = %(repository_id)s")


async def delete_repository(tx: Transaction, repository_id: int) -> None:
    """Remove a repository without manifests."""
    await tx.run(DELETE_REPOSITORY, repository_id=repository_id)
