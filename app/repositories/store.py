"""Statements on repositories."""

from app.db import SQL, Statements, Transaction

FIND_REPOSITORY_ID = SQL("SELECT id FROM repositories WHERE name = %(name)s")


async def find_repository_id(statements: Statements, name: str) -> int | None:
    """Return the id of the repository of that full name."""
    found = await statements.value(FIND_REPOSITORY_ID, name=name)
    return None if found is None else int(found)


# Whoever deletes the repository waits, or was first and there is none.
LOCK_REPOSITORY_ID = SQL("SELECT id FROM repositories WHERE name = %(name)s FOR KEY SHARE")


async def lock_repository_id(tx: Transaction, name: str) -> int | None:
    """Return the id of a repository that is there until `tx` ends."""
    found = await tx.value(LOCK_REPOSITORY_ID, name=name)
    return None if found is None else int(found)


# Pushes and pulls go on beside it.
LOCK_FOR_COPY = SQL("SELECT project_id FROM repositories WHERE id = %(repository_id)s FOR NO KEY UPDATE")


async def lock_for_copy(tx: Transaction, repository_id: int) -> int:
    """Return the project of a repository that nobody else copies to until `tx` ends."""
    return int(await tx.value(LOCK_FOR_COPY, repository_id=repository_id))


INSERT_REPOSITORY = SQL("""
    INSERT INTO repositories (project_id, name) VALUES (%(project_id)s, %(name)s)
    ON CONFLICT (name) DO NOTHING RETURNING id
""")


async def insert_repository(tx: Transaction, project_id: int, name: str) -> int | None:
    """Add a repository and return the id, or None when another transaction was first."""
    found = await tx.value(INSERT_REPOSITORY, project_id=project_id, name=name)
    return None if found is None else int(found)


LIST_NAMES = SQL("""
    SELECT name FROM repositories WHERE name > %(last)s ORDER BY name LIMIT %(limit)s
""")


async def list_names(statements: Statements, *, last: str, limit: int) -> list[str]:
    """Return the names after `last`, in the order of bytes."""
    return await statements.values(LIST_NAMES, last=last, limit=limit)


ADD_PULLS = SQL("UPDATE repositories SET pull_count = pull_count + %(count)s WHERE name = %(name)s")


async def add_pulls(tx: Transaction, name: str, count: int) -> None:
    """Count pulls from a repository."""
    await tx.run(ADD_PULLS, name=name, count=count)
