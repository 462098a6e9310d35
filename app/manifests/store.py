"""Statements on manifests."""

import json
from datetime import datetime

from app.blobs.model import Content
from app.db import SQL, Database, Prepared, Statements, Transaction
from app.manifests.model import (
    NewManifest,
    Referrer,
    StoredManifest,
    Upserted,
    WantedReferrers,
)
from app.oci.digest import Digest
from app.oci.names import Tag
from app.quotas.model import Growth

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


LIST_LINKED = SQL("""
    SELECT b.digest, b.size_bytes
    FROM repositories r
    JOIN blob_links l ON l.repository_id = r.id AND l.digest = ANY(%(digests)s::text[])
    JOIN blobs b ON b.digest = l.digest
    WHERE r.name = %(repository)s
""")


async def list_linked(tx: Transaction, repository: str, digests: list[str]) -> list[Content]:
    """Return those of the blobs that are linked into the repository."""
    return await tx.all(Content, LIST_LINKED, repository=repository, digests=digests)


LOCK_PRESENT = SQL("""
    SELECT m.digest FROM manifests m JOIN repositories r ON r.id = m.repository_id
    WHERE r.name = %(repository)s AND m.digest = ANY(%(digests)s::text[])
    ORDER BY m.digest FOR KEY SHARE OF m
""")


async def lock_present(tx: Transaction, repository: str, digests: list[str]) -> set[str]:
    """Return those manifests that the repository has, and keep them until `tx` ends."""
    return set(await tx.values(LOCK_PRESENT, repository=repository, digests=digests))


# The tags are written here, since a push has one round trip for all of it.
# What a tag pointed to before is kept by the row itself: a second look at it, or a join, would see an older
# moment than the one in which a push that waited for another one writes.
UPSERT_MANIFEST = Prepared(
    "upsert_manifest",
    (
        "text",
        "text",
        "text",
        "text",
        "text",
        "bytea",
        "json",
        "text[]",
        "bigint[]",
        "text[]",
        "text",
        "bigint",
        "text[]",
    ),
    """
    WITH repository AS (
        SELECT r.id, r.project_id FROM repositories r
        WHERE r.name = $1 AND NOT EXISTS (
            SELECT FROM unnest($8, $9) AS named (digest, size_bytes)
            LEFT JOIN blob_links l ON l.repository_id = r.id AND l.digest = named.digest
            LEFT JOIN blobs b ON b.digest = l.digest
            WHERE b.size_bytes IS DISTINCT FROM named.size_bytes
        )
        FOR KEY SHARE OF r
    ), manifest AS (
        INSERT INTO manifests
            (repository_id, project_id, digest, media_type, artifact_type, subject_digest, size_bytes,
            payload, annotations, config_media_type, artifact_size_bytes)
        SELECT r.id, r.project_id, $2, $3, $4, $5, length($6), $6, $7, $11,
            least(length($6) + $12::numeric + (
                SELECT coalesce(sum(c.artifact_size_bytes), 0) FROM manifests c
                WHERE c.repository_id = r.id AND c.digest = ANY ($10)
            ), 9223372036854775807)
        FROM repository r
        ON CONFLICT (repository_id, digest) DO UPDATE
        SET pushed_at = now(), media_type = EXCLUDED.media_type, project_id = EXCLUDED.project_id,
            config_media_type = EXCLUDED.config_media_type,
            artifact_size_bytes = EXCLUDED.artifact_size_bytes
        RETURNING id, repository_id, project_id
    ), counted AS (
        INSERT INTO project_blobs (project_id, digest, size_bytes)
        SELECT manifest.project_id, used.digest, used.size_bytes
        FROM manifest, (
            SELECT $2, length($6)::bigint
            UNION ALL
            SELECT * FROM unnest($8, $9)
        ) used (digest, size_bytes)
        ORDER BY used.digest COLLATE "C"
        ON CONFLICT DO NOTHING
        RETURNING size_bytes
    ), blobs AS (
        INSERT INTO manifest_blobs AS known (manifest_id, repository_id, project_id, digest)
        SELECT id, repository_id, project_id, unnest($8) FROM manifest
        ON CONFLICT (manifest_id, digest) DO UPDATE SET project_id = EXCLUDED.project_id
        WHERE known.project_id IS NULL
    ), children AS (
        INSERT INTO manifest_children (manifest_id, child_digest)
        SELECT id, unnest($10) FROM manifest
        ON CONFLICT DO NOTHING
    ), tagged AS (
        INSERT INTO tags (repository_id, name, manifest_id)
        SELECT repository_id, name, id FROM manifest, unnest($13) AS name ORDER BY name
        ON CONFLICT (repository_id, name) DO UPDATE
        SET previous_manifest_id = tags.manifest_id, manifest_id = EXCLUDED.manifest_id, pushed_at = now()
        RETURNING name, manifest_id, previous_manifest_id
    )
    SELECT project_id, (SELECT coalesce(sum(size_bytes), 0)::bigint FROM counted), repository_id,
        hold_immutability_rules(project_id),
        ARRAY (SELECT name FROM tagged WHERE previous_manifest_id <> manifest_id ORDER BY name)
    FROM manifest
    """,
)


async def upsert_manifest(tx: Transaction, new: NewManifest) -> Upserted | None:
    """Add a manifest with what it refers to and its tags, or note that it was pushed again.

    None, and nothing done: there is no such repository, or it has not all of the content at these sizes.

    What its project did not use before is entered into `project_blobs`, in the order of digests, so that
    two pushes wait for one another at most one way round. The rules of immutability stay until `tx` ends.

    Raises:
        ForeignKeyViolation: a blob was unlinked, or what is counted was deleted.
    """
    parsed = new.parsed
    subject = parsed.subject.digest if parsed.subject else None
    rows = await tx.tuples(
        UPSERT_MANIFEST,
        *(new.repository, new.digest, parsed.media_type, parsed.artifact_type, subject, new.payload),
        *(json.dumps(parsed.annotations), [blob.digest for blob in new.blobs]),
        *([blob.size_bytes for blob in new.blobs], new.children),
        *(parsed.described_type, parsed.content_size_bytes, list(new.tags)),
    )
    if not rows:
        return None
    project_id, added_bytes, repository_id, _, moved = rows[0]
    return Upserted(Growth(project_id, added_bytes), repository_id, moved)


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
