"""Statements on what is copied from one repository to another."""

from msgspec import convert

from app.db import SQL, Transaction
from app.manifests.model import Source

LOCK_SOURCES = SQL(r"""
    WITH RECURSIVE wanted AS (
        SELECT m.id, m.repository_id, m.digest, 0 AS depth FROM manifests m
        JOIN repositories r ON r.id = m.repository_id
        WHERE r.name = %(repository)s AND m.digest = %(digest)s
        UNION
        SELECT found.id, w.repository_id, found.digest, w.depth + found.step
        FROM wanted w CROSS JOIN LATERAL (
            SELECT child.id, child.digest, 1 AS step FROM manifest_children c
            JOIN manifests child ON child.repository_id = w.repository_id AND child.digest = c.child_digest
            WHERE c.manifest_id = w.id
            UNION
            SELECT a.id, a.digest, 0 FROM manifests a
            WHERE a.repository_id = w.repository_id AND a.subject_digest = w.digest
            UNION
            SELECT a.id, a.digest, 0 FROM tags t JOIN manifests a ON a.id = t.manifest_id
            WHERE t.repository_id = w.repository_id AND t.name = replace(w.digest, ':', '-') || '.sig'
        ) found
    )
    SELECT m.repository_id, m.digest, m.media_type, m.payload, ARRAY(
        SELECT t.name FROM tags t
        WHERE t.manifest_id = m.id AND (m.digest = %(digest)s OR t.name ~ '^sha256-[0-9a-f]{64}\.sig$')
        ORDER BY t.name
    ) AS tags
    FROM manifests m
    JOIN (SELECT id, max(depth) AS depth FROM wanted GROUP BY id) w ON w.id = m.id
    ORDER BY w.depth DESC, m.digest FOR KEY SHARE OF m
""")


def _source(*, payload: memoryview, **columns: object) -> Source:
    return convert({**columns, "payload": bytes(payload)}, Source)


async def lock_sources(tx: Transaction, repository: str, digest: str) -> list[Source]:
    """Return a manifest, its members and accessories, members before the index; they stay until `tx` ends.

    Tags come with the manifest that was asked for, and with signatures that are found by their tag.
    """
    return await tx.all(_source, LOCK_SOURCES, repository=repository, digest=digest)


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
