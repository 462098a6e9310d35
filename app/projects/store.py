"""Statements on projects."""

import msgspec

from app.db import SQL, Statements, Transaction
from app.projects.model import Settings

FIND_PROJECT_ID = SQL("SELECT id FROM projects WHERE name = %(name)s")


async def find_project_id(statements: Statements, name: str) -> int | None:
    """Return the id of the project of that name."""
    found = await statements.value(FIND_PROJECT_ID, name=name)
    return None if found is None else int(found)


# Whoever deletes the project waits, or was first and there is none.
LOCK_PROJECT_ID = SQL("SELECT id FROM projects WHERE name = %(name)s FOR KEY SHARE")


async def lock_project_id(tx: Transaction, name: str) -> int | None:
    """Return the id of a project that is there until `tx` ends."""
    found = await tx.value(LOCK_PROJECT_ID, name=name)
    return None if found is None else int(found)


# A project is never without its quota, nor without its first member where somebody made it: the one
# statement of this slice that writes tables of others. Without a limit of its own it gets the configured one.
INSERT_PROJECT = SQL("""
    WITH project AS (
        INSERT INTO projects (name, owner_id, is_public, metadata)
        VALUES (%(name)s, %(owner_id)s::bigint, %(is_public)s, %(metadata)s::jsonb)
        ON CONFLICT (name) DO NOTHING RETURNING id, owner_id
    ), quota AS (
        INSERT INTO quotas (project_id, hard_bytes)
        SELECT id, CASE
            WHEN EXISTS (
                SELECT FROM configurations WHERE name = 'quota_per_project_enable' AND value = 'false'
            ) THEN -1
            ELSE coalesce(
                %(hard_bytes)s::bigint,
                (SELECT (value #>> '{}')::bigint FROM configurations WHERE name = 'storage_per_project'),
                -1
            )
        END
        FROM project
    ), member AS (
        INSERT INTO project_members (project_id, user_id, role)
        SELECT id, owner_id, 'projectAdmin' FROM project WHERE owner_id IS NOT NULL
    )
    SELECT id FROM project
""")


async def insert_project(
    tx: Transaction, name: str, *, owner_id: int | None, settings: Settings, hard_bytes: int | None
) -> int | None:
    """Add a project and return the id, or None when the name is taken."""
    found = await tx.value(
        INSERT_PROJECT,
        name=name,
        owner_id=owner_id,
        is_public=settings.is_public,
        metadata=msgspec.json.encode(settings.metadata).decode(),
        hard_bytes=hard_bytes,
    )
    return None if found is None else int(found)


LOCK_SETTINGS = SQL("SELECT is_public, metadata FROM projects WHERE id = %(project_id)s FOR NO KEY UPDATE")


async def lock_settings(tx: Transaction, project_id: int) -> Settings | None:
    """Return the settings of a project, which nobody else changes until `tx` ends."""
    return await tx.maybe(Settings, LOCK_SETTINGS, project_id=project_id)


FIND_SETTINGS = SQL("SELECT is_public, metadata FROM projects WHERE id = %(project_id)s")


async def find_settings(statements: Statements, project_id: int) -> Settings | None:
    """Return the settings of a project."""
    return await statements.maybe(Settings, FIND_SETTINGS, project_id=project_id)


UPDATE_SETTINGS = SQL("""
    UPDATE projects SET is_public = %(is_public)s, metadata = %(metadata)s::jsonb, updated_at = now()
    WHERE id = %(project_id)s
""")


async def update_settings(tx: Transaction, project_id: int, settings: Settings) -> None:
    """Give a project other settings."""
    metadata = msgspec.json.encode(settings.metadata).decode()
    await tx.run(UPDATE_SETTINGS, project_id=project_id, is_public=settings.is_public, metadata=metadata)


LOCK_PROJECT = SQL("SELECT id FROM projects WHERE id = %(project_id)s FOR UPDATE")


async def lock_project(tx: Transaction, project_id: int) -> bool:
    """Keep everybody from adding anything to a project until `tx` ends; False when there is none."""
    return await tx.value(LOCK_PROJECT, project_id=project_id) is not None


HAS_REPOSITORIES = SQL("SELECT EXISTS (SELECT FROM repositories WHERE project_id = %(project_id)s)")


async def has_repositories(statements: Statements, project_id: int) -> bool:
    """Whether a project has repositories."""
    return bool(await statements.value(HAS_REPOSITORIES, project_id=project_id))


DELETE_PROJECT = SQL("DELETE FROM projects WHERE id = %(project_id)s")


async def delete_project(tx: Transaction, project_id: int) -> None:
    """Remove a project without repositories, and all else that it has."""
    await tx.run(DELETE_PROJECT, project_id=project_id)
