"""Statements on manifests."""

import json
from datetime import datetime

from app.db import SQL, Database, Prepared, Statements, Transaction
from app.manifests.model import Dependent, Linked, NewManifest, Referrer, StoredManifest, WantedReferrers
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
    ("bigint", "text", "text", "text", "text", "bytea", "json", "text[]", "text[]", "text", "bigint"),
    """
    WITH manifest AS (
        INSERT INTO manifests
            (repository_id, digest, media_type, artifact_type, subject_digest, size_bytes, payload,
            annotations, config_media_type, artifact_size_bytes)
        SELECT $1, $2, $3, $4, $5, length($6), $6, $7, $10,
            least(
                length($6) + $11::numeric + coalesce(sum(child.artifact_size_bytes), 0), 9223372036854775807
            )
        FROM manifests child WHERE child.repository_id = $1 AND child.digest = ANY ($9)
        ON CONFLICT (repository_id, digest) DO UPDATE
        SET pushed_at = now(), media_type = EXCLUDED.media_type,
            config_media_type = EXCLUDED.config_media_type,
            artifact_size_bytes = EXCLUDED.artifact_size_bytes
        RETURNING id
    ), blobs AS (
        INSERT INTO manifest_blobs (manifest_id, repository_id, digest)
        SELECT id, $1, unnest($8) FROM manifest
        ON CONFLICT DO NOTHING
    ), children AS (
        INSERT INTO manifest_children (manifest_id, child_digest)
        SELECT id, unnest($9) FROM manifest
        ON CONFLICT DO NOTHING
    )
    SELECT id FROM manifest
    """,
)


async def upsert_manifest(tx: Transaction, new: NewManifest) -> int:
    """Add a manifest with what it refers to, or note that it was pushed again, and return its id.

    Raises:
        ForeignKeyViolation: a blob was unlinked meanwhile.
    """
    parsed = new.parsed
    subject = parsed.subject.digest if parsed.subject else None
    rows = await tx.tuples(
        UPSERT_MANIFEST,
        *(new.repository_id, new.digest, parsed.media_type, parsed.artifact_type, subject, new.payload),
        *(json.dumps(parsed.annotations), new.blobs, new.children),
        *(parsed.described_type, parsed.content_size_bytes),
    )
    return int(rows[0][0])


LOCK_MANIFEST = SQL("""
    SELECT m.id FROM manifests m JOIN repositories r ON r.id = m.repository_id
    WHERE r.name = %(repository)s AND m.digest = %(digest)s
    FOR UPDATE OF m
""")


async def lock_manifest(tx: Transaction, repository: str, digest: Digest) -> int | None:
    """Return the id of a manifest that nobody else can name, tag or delete until `tx` ends."""
    found = await tx.value(LOCK_MANIFEST, repository=repository, digest=digest)
    return None if found is None else int(found)


HAS_PARENT = SQL("""
    SELECT true FROM manifests m
    JOIN manifest_children c ON c.child_digest = m.digest
    JOIN manifests parent ON parent.id = c.manifest_id AND parent.repository_id = m.repository_id
    WHERE m.id = %(manifest_id)s AND parent.id <> m.id LIMIT 1
""")


async def has_parent(tx: Transaction, manifest_id: int) -> bool:
    """Whether an index of the same repository lists the manifest."""
    return bool(await tx.value(HAS_PARENT, manifest_id=manifest_id))


DELETE_MANIFEST = SQL("""
    WITH tagged AS (SELECT name FROM tags WHERE manifest_id = %(manifest_id)s),
        deleted AS (DELETE FROM manifests WHERE id = %(manifest_id)s)
    SELECT name FROM tagged ORDER BY name
""")


async def delete_manifest(tx: Transaction, manifest_id: int) -> list[str]:
    """Remove a manifest with its tags and return their names."""
    return await tx.values(DELETE_MANIFEST, manifest_id=manifest_id)


DELETE_ALL = SQL("DELETE FROM manifests WHERE repository_id = %(repository_id)s")


async def delete_all(tx: Transaction, repository_id: int) -> None:
    """Remove all manifests of a repository with their tags."""
    await tx.run(DELETE_ALL, repository_id=repository_id)


LOCK_DEPENDENTS = SQL("""
    SELECT d.id, d.digest, found.is_accessory
    FROM repositories r
    JOIN manifests m ON m.repository_id = r.id AND m.digest = %(digest)s
    CROSS JOIN LATERAL (
        SELECT a.id, true AS is_accessory FROM manifests a
        WHERE a.repository_id = r.id AND a.subject_digest = m.digest
        UNION
        SELECT t.manifest_id, true FROM tags t
        WHERE t.repository_id = r.id AND t.name = replace(m.digest, ':', '-') || '.sig'
        UNION
        SELECT child.id, false FROM manifest_children c
        JOIN manifests child ON child.repository_id = r.id AND child.digest = c.child_digest
        WHERE c.manifest_id = m.id
    ) found
    JOIN manifests d ON d.id = found.id AND d.id <> m.id
    WHERE r.name = %(repository)s ORDER BY d.digest FOR UPDATE OF d
""")


async def lock_dependents(tx: Transaction, repository: str, digest: str) -> list[Dependent]:
    """Return accessories and members of a manifest, which nobody else can tag or delete until `tx` ends."""
    return await tx.all(Dependent, LOCK_DEPENDENTS, repository=repository, digest=digest)


IS_TAGGED = SQL("SELECT EXISTS (SELECT FROM tags WHERE manifest_id = %(manifest_id)s)")


async def is_tagged(tx: Transaction, manifest_id: int) -> bool:
    """Whether a tag points to the manifest."""
    return bool(await tx.value(IS_TAGGED, manifest_id=manifest_id))


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
