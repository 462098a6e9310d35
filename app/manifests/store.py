"""Statements on manifests."""

import json
from datetime import datetime

from app.db import SQL, Database, ForeignKeyViolation, Prepared, Statements, Transaction
from app.manifests.model import (
    Linked,
    NewManifest,
    Referrer,
    StoredManifest,
    Upserted,
    WantedReferrers,
)
from app.oci.digest import Digest
from app.oci.names import Tag

FIND_BY_TAG = Prepared(
    "find_manifest_by_tag",
    ("text[]", "text[]"),
    """
    SELECT m.id, m.digest, m.media_type, m.size_bytes
    FROM unnest($1, $2) WITH ORDINALITY AS asked (repository_name, tag, place)
    LEFT JOIN repositories r ON r.name = asked.repository_name
    LEFT JOIN tags t ON t.repository_id = r.id AND t.name = asked.tag
    LEFT JOIN manifests m ON m.id = t.manifest_id
    ORDER BY asked.place
    """,
)

FIND_BY_DIGEST = Prepared(
    "find_manifest_by_digest",
    ("text[]", "text[]"),
    """
    SELECT m.id, m.digest, m.media_type, m.size_bytes
    FROM unnest($1, $2) WITH ORDINALITY AS asked (repository_name, digest, place)
    LEFT JOIN repositories r ON r.name = asked.repository_name
    LEFT JOIN manifests m ON m.repository_id = r.id AND m.digest = asked.digest
    ORDER BY asked.place
    """,
)


async def find_manifest(
    database: Database, repository: str, reference: Tag | Digest
) -> StoredManifest | None:
    """Return the manifest that a tag points to, or that of a digest; strictly as PostgreSQL has it now."""
    statement = FIND_BY_DIGEST if isinstance(reference, Digest) else FIND_BY_TAG
    manifest_id, digest, media_type, size = await database.look_up(statement, repository, reference)
    return None if manifest_id is None else StoredManifest(manifest_id, Digest(digest), media_type, size)


FIND_PAYLOAD = SQL("SELECT payload FROM manifests WHERE id = %(manifest_id)s")


async def find_payload(database: Database, manifest_id: int) -> bytes | None:
    """Return the bytes of a manifest, or None when it was deleted a moment ago."""
    async with database.autocommit() as statements:
        found = await statements.value(FIND_PAYLOAD, manifest_id=manifest_id)
    return None if found is None else bytes(found)


FIND_LINKED = Prepared(
    "find_linked",
    ("text", "text[]"),
    """
    SELECT r.id, l.digest, b.size_bytes
    FROM repositories r
    LEFT JOIN blob_links l ON l.repository_id = r.id AND l.digest = ANY ($2)
    LEFT JOIN blobs b ON b.digest = l.digest
    WHERE r.name = $1
    """,
)


async def find_linked(database: Database, repository: str, digests: list[str]) -> Linked | None:
    """Return the repository's id and the sizes in bytes of those blobs that are linked into it."""
    rows = await database.read(FIND_LINKED, repository, digests)
    if not rows:
        return None
    return Linked(rows[0][0], {digest: size for _, digest, size in rows if digest is not None})


LOCK_PRESENT = SQL("""
    SELECT digest FROM manifests
    WHERE repository_id = %(repository_id)s AND digest = ANY(%(digests)s::text[])
    ORDER BY digest FOR KEY SHARE
""")


async def lock_present(tx: Transaction, repository_id: int, digests: list[str]) -> set[str]:
    """Return those manifests that the repository has, and keep them until `tx` ends."""
    return set(await tx.values(LOCK_PRESENT, repository_id=repository_id, digests=digests))


UPSERT_MANIFEST = Prepared(
    "upsert_manifest",
    (
        "bigint",
        "text",
        "text",
        "text",
        "text",
        "bytea",
        "json",
        "text[]",
        "text[]",
        "text",
        "bigint",
    ),
    """
    WITH children_size AS (
        SELECT coalesce(sum(artifact_size_bytes), 0) AS bytes FROM manifests
        WHERE repository_id = $1 AND digest = ANY ($9)
    ), manifest AS (
        INSERT INTO manifests
            (repository_id, project_id, digest, media_type, artifact_type, subject_digest, size_bytes,
            payload, annotations, config_media_type, artifact_size_bytes)
        SELECT $1, r.project_id, $2, $3, $4, $5, length($6), $6, $7, $10,
            least(length($6) + $11::numeric + children_size.bytes, 9223372036854775807)
        FROM repositories r, children_size WHERE r.id = $1 FOR KEY SHARE OF r
        ON CONFLICT (repository_id, digest) DO UPDATE
        SET pushed_at = now(), media_type = EXCLUDED.media_type, project_id = EXCLUDED.project_id,
            config_media_type = EXCLUDED.config_media_type,
            artifact_size_bytes = EXCLUDED.artifact_size_bytes
        RETURNING id, project_id
    ), counted AS (
        INSERT INTO project_blobs (project_id, digest, size_bytes)
        SELECT manifest.project_id, used.digest, used.size_bytes
        FROM manifest, (
            SELECT $2, length($6)::bigint
            UNION ALL
            SELECT digest, size_bytes FROM blobs WHERE digest = ANY ($8)
        ) used (digest, size_bytes)
        ORDER BY used.digest COLLATE "C"
        ON CONFLICT DO NOTHING
        RETURNING size_bytes
    ), blobs AS (
        INSERT INTO manifest_blobs AS known (manifest_id, repository_id, project_id, digest)
        SELECT id, $1, project_id, unnest($8) FROM manifest
        ON CONFLICT (manifest_id, digest) DO UPDATE SET project_id = EXCLUDED.project_id
        WHERE known.project_id IS NULL
    ), children AS (
        INSERT INTO manifest_children (manifest_id, child_digest)
        SELECT id, unnest($9) FROM manifest
        ON CONFLICT DO NOTHING
    )
    SELECT id, project_id, (SELECT coalesce(sum(size_bytes), 0)::bigint FROM counted),
        hold_immutability_rules(project_id)
    FROM manifest
    """,
)


async def upsert_manifest(tx: Transaction, new: NewManifest) -> Upserted:
    """Add a manifest with what it refers to, or note that it was pushed again.

    What its project did not use before is entered into `project_blobs`, in the order of digests, so that
    two pushes wait for one another at most one way round. The rules of immutability stay until `tx` ends.

    Raises:
        ForeignKeyViolation: the repository was deleted, a blob was unlinked, or what is counted was deleted.
    """
    parsed = new.parsed
    subject = parsed.subject.digest if parsed.subject else None
    rows = await tx.tuples(
        UPSERT_MANIFEST,
        *(new.repository_id, new.digest, parsed.media_type, parsed.artifact_type, subject, new.payload),
        *(json.dumps(parsed.annotations), new.blobs, new.children),
        *(parsed.described_type, parsed.content_size_bytes),
    )
    if not rows:
        raise ForeignKeyViolation("manifests_repository_id_fkey")
    return Upserted(*rows[0][:3])


LIST_REFERRERS = SQL("""
    WITH page AS (
        SELECT m.id, m.digest,
            sum(length(m.annotations::text) + 500) OVER (ORDER BY m.digest) AS running_bytes,
            row_number() OVER (ORDER BY m.digest) AS place,
            lead(m.id) OVER (ORDER BY m.digest) IS NOT NULL AS has_more
        FROM manifests m JOIN repositories r ON r.id = m.repository_id
        WHERE r.name = %(repository)s AND m.subject_digest = %(subject)s AND m.digest > %(last)s
            AND (%(artifact_type)s::text IS NULL OR m.artifact_type = %(artifact_type)s)
        ORDER BY m.digest LIMIT %(limit)s::bigint + 1
    )
    SELECT m.digest, m.media_type, m.size_bytes, m.artifact_type, m.annotations, page.has_more
    FROM page JOIN manifests m ON m.id = page.id
    WHERE page.place <= %(limit)s AND (page.place = 1 OR page.running_bytes <= %(limit_bytes)s)
    ORDER BY m.digest
""")


async def list_referrers(statements: Statements, repository: str, wanted: WantedReferrers) -> list[Referrer]:
    """Return the referrers of one page, in the order of their digests."""
    return await statements.all(
        Referrer,
        LIST_REFERRERS,
        repository=repository,
        subject=wanted.subject,
        artifact_type=wanted.artifact_type,
        last=wanted.last,
        limit=wanted.limit,
        limit_bytes=wanted.limit_bytes,
    )


NOTE_PULL = SQL("""
    UPDATE manifests m
    SET pull_count = m.pull_count + %(count)s, pulled_at = greatest(m.pulled_at, %(pulled_at)s)
    FROM repositories r
    WHERE r.id = m.repository_id AND r.name = %(repository)s AND m.digest = %(digest)s
""")


async def note_pull(
    tx: Transaction, repository: str, digest: str, *, count: int, pulled_at: datetime
) -> None:
    """Count pulls of a manifest and remember the last."""
    await tx.run(NOTE_PULL, repository=repository, digest=digest, count=count, pulled_at=pulled_at)
