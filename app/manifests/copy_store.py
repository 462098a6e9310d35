"""Statements on what is copied from one repository to another."""

from msgspec import convert

from app.db import SQL, Transaction
from app.manifests.model import Source

# How deep a manifest lies goes by the members of indexes alone: tags can make manifests accessories of each
# other in a circle.
LOCK_SOURCES = SQL(r"""
    WITH RECURSIVE wanted AS (
        SELECT m.id, m.repository_id, m.digest FROM manifests m
        JOIN repositories r ON r.id = m.repository_id
        WHERE r.name = %(repository)s AND m.digest = %(digest)s
        UNION
        SELECT found.id, w.repository_id, found.digest
        FROM wanted w CROSS JOIN LATERAL (
            SELECT child.id, child.digest FROM manifest_children c
            JOIN manifests child ON child.repository_id = w.repository_id AND child.digest = c.child_digest
            WHERE c.manifest_id = w.id
            UNION
            SELECT a.id, a.digest FROM manifests a
            WHERE a.repository_id = w.repository_id AND a.subject_digest = w.digest
            UNION
            SELECT a.id, a.digest FROM tags t JOIN manifests a ON a.id = t.manifest_id
            WHERE t.repository_id = w.repository_id AND t.name = replace(w.digest, ':', '-') || '.sig'
        ) found
    ), placed AS (
        SELECT id, 0 AS depth FROM wanted
        UNION
        SELECT child.id, p.depth + 1
        FROM placed p JOIN manifest_children c ON c.manifest_id = p.id
        JOIN wanted child ON child.digest = c.child_digest
    )
    SELECT m.id, m.repository_id, m.digest, m.media_type, m.payload, p.depth, ARRAY(
        SELECT t.name FROM tags t
        WHERE t.manifest_id = m.id AND (m.digest = %(digest)s OR t.name ~ '^sha256-[0-9a-f]{64}\.sig$')
        ORDER BY t.name
    ) AS tags
    FROM manifests m
    JOIN (SELECT id, max(depth) AS depth FROM placed GROUP BY id) p ON p.id = m.id
    ORDER BY m.digest FOR KEY SHARE OF m
""")


def _source(*, payload: memoryview, **columns: object) -> Source:
    return convert({**columns, "payload": bytes(payload)}, Source)


async def lock_sources(tx: Transaction, repository: str, digest: str) -> list[Source]:
    """Return a manifest, its members and accessories, members before the index; they stay until `tx` ends.

    Tags come with the manifest that was asked for, and with signatures that are found by their tag.
    """
    # They are locked in the order in which deletions lock them.
    found = await tx.all(_source, LOCK_SOURCES, repository=repository, digest=digest)
    return sorted(found, key=lambda source: -source.depth)


LOCK_COPIES = SQL("""
    SELECT digest FROM manifests
    WHERE repository_id = %(repository_id)s AND digest = ANY(%(digests)s::text[])
    ORDER BY digest FOR NO KEY UPDATE
""")


async def lock_copies(tx: Transaction, repository_id: int, digests: list[str]) -> None:
    """Keep those manifests that are copies already until `tx` ends."""
    await tx.run(LOCK_COPIES, repository_id=repository_id, digests=digests)


COPY_ATTRIBUTES = SQL("""
    UPDATE manifests copy SET extra_attrs = source.extra_attrs, icon = source.icon
    FROM manifests source JOIN repositories r ON r.id = source.repository_id
    WHERE r.name = %(repository)s AND source.digest = ANY(%(digests)s) AND source.extra_attrs IS NOT NULL
        AND copy.repository_id = %(repository_id)s AND copy.digest = source.digest
        AND copy.extra_attrs IS NULL
""")


async def copy_attributes(tx: Transaction, repository_id: int, *, source: str, digests: list[str]) -> None:
    """Take over what was read from the configs of copied manifests."""
    await tx.run(COPY_ATTRIBUTES, repository_id=repository_id, repository=source, digests=digests)
