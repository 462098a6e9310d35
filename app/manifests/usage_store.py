"""Statements on what the artifacts of a project use: manifests and blobs, each once per project."""

from typing import Final

from app.db import SQL, Database, Transaction

# The one order in which rows of what a project uses are locked: that in which the foreign keys of a push lock
# them, the manifest and then its blobs.
_USED: Final = """
    WITH used AS (
        SELECT digest, false AS is_blob FROM manifests WHERE id = ANY(%(ids)s::bigint[])
        UNION ALL
        SELECT digest, true FROM manifest_blobs WHERE manifest_id = ANY(%(ids)s::bigint[])
    )
    SELECT b.digest FROM project_blobs b
    JOIN (SELECT digest, bool_and(is_blob) AS is_blob FROM used GROUP BY digest) candidate USING (digest)
    WHERE b.project_id = %(project_id)s
    ORDER BY candidate.is_blob, b.digest FOR {strength} OF b
"""
LOCK_USED = SQL(_USED.replace("{strength}", "UPDATE"))


async def lock_used(tx: Transaction, project_id: int, manifest_ids: list[int]) -> list[str]:
    """Return the digests that manifests use; nobody else comes to use them until `tx` ends."""
    return await tx.values(LOCK_USED, project_id=project_id, ids=manifest_ids)


HOLD_USED = SQL(_USED.replace("{strength}", "KEY SHARE"))


async def hold_used(tx: Transaction, project_id: int, manifest_ids: list[int]) -> None:
    """Keep what manifests use, where the project uses it already, until `tx` ends."""
    await tx.run(HOLD_USED, project_id=project_id, ids=manifest_ids)


DELETE_UNUSED = SQL("""
    WITH freed AS (
        DELETE FROM project_blobs u
        WHERE u.project_id = %(project_id)s AND u.digest = ANY(%(digests)s::text[])
            AND NOT EXISTS (SELECT FROM manifests WHERE project_id = u.project_id AND digest = u.digest)
            AND NOT EXISTS (SELECT FROM manifest_blobs WHERE project_id = u.project_id AND digest = u.digest)
        RETURNING size_bytes
    )
    SELECT coalesce(sum(size_bytes), 0)::bigint FROM freed
""")


async def delete_unused(tx: Transaction, project_id: int, digests: list[str]) -> int:
    """Remove those of the locked digests that nothing in the project uses any more; return their bytes.

    A statement of its own after the lock: it sees what others committed while it was waited for.
    """
    return int(await tx.value(DELETE_UNUSED, project_id=project_id, digests=digests))


LIST_SUSPECTS = SQL("""
    SELECT p.id FROM projects p LEFT JOIN quotas q ON q.project_id = p.id
    LEFT JOIN (
        SELECT project_id, sum(size_bytes) AS used_bytes FROM project_blobs GROUP BY project_id
    ) counted ON counted.project_id = p.id
    WHERE q.used_bytes IS DISTINCT FROM coalesce(counted.used_bytes, 0)
    UNION
    SELECT r.project_id FROM manifests m JOIN repositories r ON r.id = m.repository_id
    WHERE m.project_id IS NULL
""")


async def list_suspects(database: Database) -> list[int]:
    """Return the projects whose count is not the sum of what they use, as of one moment."""
    async with database.autocommit() as statements:
        return await statements.values(LIST_SUSPECTS)


LOCK_UNCOUNTED = SQL("""
    SELECT m.id FROM manifests m JOIN repositories r ON r.id = m.repository_id
    WHERE m.project_id IS NULL AND r.project_id = %(project_id)s
    ORDER BY m.digest FOR UPDATE OF m
""")


async def lock_uncounted(tx: Transaction, project_id: int) -> list[int]:
    """Return the manifests that a version pushed that did not count, and keep them until `tx` ends."""
    return await tx.values(LOCK_UNCOUNTED, project_id=project_id)


INSERT_USED = SQL("""
    WITH entered AS (
        INSERT INTO project_blobs (project_id, digest, size_bytes)
        SELECT %(project_id)s, digest, max(size_bytes) FROM (
            SELECT digest, size_bytes FROM manifests WHERE id = ANY(%(ids)s::bigint[])
            UNION ALL
            SELECT l.digest, b.size_bytes FROM manifest_blobs l JOIN blobs b USING (digest)
            WHERE l.manifest_id = ANY(%(ids)s::bigint[])
        ) used GROUP BY digest ORDER BY digest
        ON CONFLICT DO NOTHING
        RETURNING size_bytes
    )
    SELECT coalesce(sum(size_bytes), 0)::bigint FROM entered
""")


async def insert_used(tx: Transaction, project_id: int, manifest_ids: list[int]) -> int:
    """Enter what manifests use, in the order of digests as a push does; return the bytes that it adds."""
    return int(await tx.value(INSERT_USED, project_id=project_id, ids=manifest_ids))


UPDATE_UNCOUNTED = SQL("""
    WITH blobs AS (
        UPDATE manifest_blobs SET project_id = %(project_id)s WHERE manifest_id = ANY(%(ids)s::bigint[])
    )
    UPDATE manifests SET project_id = %(project_id)s WHERE id = ANY(%(ids)s::bigint[])
""")


async def update_uncounted(tx: Transaction, project_id: int, manifest_ids: list[int]) -> None:
    """Note that manifests are counted."""
    await tx.run(UPDATE_UNCOUNTED, project_id=project_id, ids=manifest_ids)


SUM_USED = SQL("""
    SELECT coalesce(sum(size_bytes), 0)::bigint FROM project_blobs WHERE project_id = %(project_id)s
""")


async def sum_used(tx: Transaction, project_id: int) -> int:
    """Return how many bytes the artifacts of a project use."""
    return int(await tx.value(SUM_USED, project_id=project_id))
