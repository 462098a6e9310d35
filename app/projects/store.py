"""Statements on projects."""

from app.db import SQL, Statements, Transaction

FIND_PROJECT_ID = SQL("SELECT id FROM projects WHERE name = %(name)s")


async def find_project_id(statements: Statements, name: str) -> int | None:
    """Return the id of the project of that name."""
    found = await statements.value(FIND_PROJECT_ID, name=name)
    return None if found is None else int(found)


INSERT_PROJECT = SQL("""
    WITH project AS (
        INSERT INTO projects (name, owner_id, is_public) VALUES (%(name)s, %(owner_id)s, %(is_public)s)
        ON CONFLICT (name) DO NOTHING RETURNING id
    ), quota AS (
        INSERT INTO quotas (project_id) SELECT id FROM project
    )
    SELECT id FROM project
""")


async def insert_project(tx: Transaction, name: str, *, owner_id: int | None, is_public: bool) -> int | None:
    """Add a project and return the id, or None when the name is taken."""
    return await tx.value(INSERT_PROJECT, name=name, owner_id=owner_id, is_public=is_public)  # type: ignore[no-any-return]  # the column is a bigint


UPDATE_VISIBILITY = SQL("""
    UPDATE projects SET is_public = %(is_public)s, updated_at = now() WHERE name = %(name)s
""")


async def update_visibility(tx: Transaction, name: str, *, is_public: bool) -> bool:
    """Make a project public or private; return whether there is one."""
    return await tx.run(UPDATE_VISIBILITY, name=name, is_public=is_public) == 1
