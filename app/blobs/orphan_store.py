"""Statements on content in storage that is no blob."""

from datetime import timedelta

from app.db import SQL, Database, Prepared
from app.oci.digest import Digest

LIST_ORPHANS = Prepared(
    "list_orphans", ("bigint",), "SELECT digest FROM orphaned_blobs ORDER BY noticed_at LIMIT $1"
)


async def get_orphans(database: Database, *, limit: int, max_age: timedelta) -> frozenset[str]:
    """Return what is noted, or being removed, as it was at most `max_age` ago."""
    return await database.recent(LIST_ORPHANS, limit, max_age=max_age)


FIND_ORPHAN = Prepared(
    "find_orphan",
    ("text[]",),
    """
    SELECT EXISTS (SELECT FROM orphaned_blobs o WHERE o.digest = asked.digest)
    FROM unnest($1) WITH ORDINALITY AS asked (digest, place)
    ORDER BY asked.place
    """,
)


async def is_orphan(database: Database, digest: Digest) -> bool:
    """Whether content with this digest is noted, or being removed."""
    row: tuple[bool] = await database.look_up(FIND_ORPHAN, digest)
    return row[0]


DELETE_ORPHAN = SQL("DELETE FROM orphaned_blobs WHERE digest = %(digest)s AND removed_at IS NULL")


async def delete_orphan(database: Database, digest: Digest) -> bool:
    """Forget that content was noted; False when it is being removed, or was."""
    async with database.autocommit() as statements:
        return await statements.run(DELETE_ORPHAN, digest=digest) == 1


INSERT_ORPHANS = SQL("""
    INSERT INTO orphaned_blobs (digest)
    SELECT digest FROM unnest(%(digests)s::text[]) found (digest)
    WHERE NOT EXISTS (SELECT FROM blobs b WHERE b.digest = found.digest)
    ORDER BY digest
    ON CONFLICT DO NOTHING
""")


async def insert_orphans(database: Database, digests: list[Digest]) -> int:
    """Note those that are no blobs, and are not noted yet; return how many."""
    async with database.autocommit() as statements:
        return await statements.run(INSERT_ORPHANS, digests=digests)


DELETE_FOUND = SQL("""
    DELETE FROM orphaned_blobs o
    WHERE removed_at IS NULL AND EXISTS (SELECT FROM blobs b WHERE b.digest = o.digest)
""")


async def delete_found(database: Database) -> None:
    """Forget those that have become blobs."""
    async with database.autocommit() as statements:
        await statements.run(DELETE_FOUND)


TAKE_ORPHANS = SQL("""
    UPDATE orphaned_blobs SET removed_at = now()
    WHERE digest IN (
        SELECT digest FROM orphaned_blobs
        WHERE noticed_at < now() - %(age)s::interval
            AND (removed_at IS NULL OR removed_at < now() - %(patience)s::interval)
        ORDER BY noticed_at FOR UPDATE SKIP LOCKED LIMIT %(limit)s
    ) AND NOT EXISTS (SELECT FROM blobs b WHERE b.digest = orphaned_blobs.digest)
    RETURNING digest
""")


async def take_orphans(
    database: Database, *, age: timedelta, patience: timedelta, limit: int
) -> list[Digest]:
    """Begin to remove those that were noted so long ago, or whose removal was begun and not ended."""
    async with database.autocommit() as statements:
        found = await statements.values(TAKE_ORPHANS, age=age, patience=patience, limit=limit)
    return [Digest(text) for text in found]


DELETE_REMOVED = SQL("""
    DELETE FROM orphaned_blobs WHERE digest = ANY(%(digests)s::text[]) AND removed_at IS NOT NULL
""")


async def delete_removed(database: Database, digests: list[Digest]) -> None:
    """Forget what is not in the storage any more."""
    async with database.autocommit() as statements:
        await statements.run(DELETE_REMOVED, digests=digests)
