"""Statements on content in storage that is no blob."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from app.blobs.model import Removal
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


DELETE_ORPHAN = SQL("""
    DELETE FROM orphaned_blobs
    WHERE digest = %(digest)s AND (removed_at IS NULL OR removed_at < now() - %(dead)s::interval)
""")


async def delete_orphan(database: Database, digest: Digest, *, dead: timedelta) -> bool:
    """Forget that content was noted; False when it is being removed, or was.

    `dead`: after so long without a sign of life a removal counts as ended.
    """
    async with database.autocommit() as statements:
        return await statements.run(DELETE_ORPHAN, digest=digest, dead=dead) == 1


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
    WITH taken AS (
        UPDATE orphaned_blobs SET removed_at = now()
        WHERE digest IN (
            SELECT digest FROM orphaned_blobs
            WHERE noticed_at < now() - %(age)s::interval
                AND (removed_at IS NULL OR removed_at < now() - %(dead)s::interval)
            ORDER BY noticed_at FOR UPDATE SKIP LOCKED LIMIT %(limit)s
        ) AND NOT EXISTS (SELECT FROM blobs b WHERE b.digest = orphaned_blobs.digest)
        RETURNING digest
    )
    SELECT now() AS seen_at, array_agg(digest) AS digests FROM taken HAVING count(*) > 0
""")


async def take_orphans(database: Database, *, age: timedelta, dead: timedelta, limit: int) -> Removal | None:
    """Begin to remove those that were noted so long ago, or whose removal was begun and is dead."""
    async with database.autocommit() as statements:
        return await statements.maybe(_removal, TAKE_ORPHANS, age=age, dead=dead, limit=limit)


def _removal(*, seen_at: datetime, digests: list[str]) -> Removal:
    return Removal(seen_at, tuple(map(Digest, digests)))


RENEW_REMOVAL = SQL("""
    WITH renewed AS (
        UPDATE orphaned_blobs SET removed_at = now()
        WHERE digest = ANY(%(digests)s::text[]) AND removed_at = %(seen_at)s
    )
    SELECT now()
""")


async def renew_removal(database: Database, removal: Removal) -> Removal:
    """Show that a removal goes on; return it as it is known from now on."""
    async with database.autocommit() as statements:
        seen_at = await statements.value(RENEW_REMOVAL, **_params(removal))
    return replace(removal, seen_at=seen_at)


DELETE_REMOVED = SQL("""
    DELETE FROM orphaned_blobs WHERE digest = ANY(%(digests)s::text[]) AND removed_at = %(seen_at)s
""")


async def delete_removed(database: Database, removal: Removal) -> None:
    """Forget what is not in the storage any more."""
    async with database.autocommit() as statements:
        await statements.run(DELETE_REMOVED, **_params(removal))


GIVE_BACK = SQL("""
    UPDATE orphaned_blobs SET removed_at = NULL, noticed_at = now()
    WHERE digest = ANY(%(digests)s::text[]) AND removed_at = %(seen_at)s
""")


async def give_back(database: Database, removal: Removal) -> None:
    """End a removal that the storage refused: what it was about is noted anew, behind all others."""
    async with database.autocommit() as statements:
        await statements.run(GIVE_BACK, **_params(removal))


def _params(removal: Removal) -> dict[str, object]:
    return {"digests": list(removal.digests), "seen_at": removal.seen_at}
