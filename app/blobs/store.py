"""Statements on blobs and their links."""

from app.blobs.model import Content, Standing, Totals
from app.db import SQL, Database, Prepared, Statements, Transaction
from app.oci.digest import Digest

FIND_BLOB = Prepared(
    "find_blob",
    ("text[]", "text[]"),
    """
    SELECT b.size_bytes
    FROM unnest($1, $2) WITH ORDINALITY AS asked (repository_name, digest, place)
    LEFT JOIN repositories r ON r.name = asked.repository_name
    LEFT JOIN blob_links l ON l.repository_id = r.id AND l.digest = asked.digest
    LEFT JOIN blobs b ON b.digest = l.digest
    ORDER BY asked.place
    """,
)


async def find_blob_size(database: Database, repository: str, digest: Digest) -> int | None:
    """Return the size in bytes of a blob that is linked into the repository."""
    row: tuple[int | None] = await database.look_up(FIND_BLOB, repository, digest)
    return row[0]


LIST_SIZES = SQL("""
    SELECT b.digest, b.size_bytes FROM blobs b
    WHERE b.digest = ANY(%(digests)s::text[]) AND EXISTS (
        SELECT FROM blob_links l JOIN repositories r ON r.id = l.repository_id
        WHERE l.digest = b.digest AND (%(repository)s::text IS NULL OR r.name = %(repository)s)
    )
""")


async def list_sizes(
    statements: Statements, digests: list[Digest], *, repository: str | None
) -> list[Content]:
    """Return those of the blobs that are linked into the repository, or (None) into any, with their sizes."""
    return await statements.all(Content, LIST_SIZES, digests=digests, repository=repository)


GET_TOTALS = SQL("SELECT count(*) AS number, coalesce(sum(size_bytes), 0)::bigint AS size_bytes FROM blobs")


async def get_totals(statements: Statements) -> Totals:
    """Return how many blobs there are, and how many bytes they have."""
    return await statements.one(Totals, GET_TOTALS)


LIST_BLOBS = SQL("""
    SELECT digest, size_bytes FROM blobs WHERE digest > %(last)s ORDER BY digest LIMIT %(limit)s
""")


async def list_blobs(statements: Statements, *, last: str, limit: int) -> list[Content]:
    """Return blobs after a digest, in the order of digests, with their sizes in bytes."""
    return await statements.all(Content, LIST_BLOBS, last=last, limit=limit)


SETTLE_BLOB = Prepared(
    "settle_blob",
    ("text", "text", "bigint", "uuid", "bigint", "uuid"),
    """
    WITH repository AS (
        SELECT id FROM repositories WHERE name = $1 FOR KEY SHARE
    ), ended AS (
        DELETE FROM upload_sessions
        WHERE id = $4 AND offset_bytes = $5 AND lease_token IS NOT DISTINCT FROM $6
            AND repository_name = $1
            AND (lease_token IS NOT NULL OR direct IS NULL AND expires_at > now())
            AND EXISTS (SELECT FROM repository)
        RETURNING id
    ), ready AS (
        SELECT id FROM repository WHERE $4 IS NULL OR EXISTS (SELECT FROM ended)
    ), blob AS (
        INSERT INTO blobs (digest, size_bytes) SELECT $2, $3 FROM ready ON CONFLICT DO NOTHING
    ), link AS (
        INSERT INTO blob_links (repository_id, digest) SELECT id, $2 FROM ready ON CONFLICT DO NOTHING
    )
    SELECT EXISTS (SELECT FROM repository), EXISTS (SELECT FROM ready)
    """,
)


async def settle_blob(
    database: Database, repository: str, digest: Digest, *, size_bytes: int, standing: Standing | None
) -> bool | None:
    """Make durable content visible in a repository and end its session, at once.

    None: there is no such repository yet. False: the session has moved on or is gone. Then nothing was done.
    """
    rows = await database.call(SETTLE_BLOB, repository, digest, size_bytes, *(standing or (None, None, None)))
    is_repository, is_done = rows[0]
    return bool(is_done) if is_repository else None


LINK_BLOB = SQL("""
    WITH blob AS (
        INSERT INTO blobs (digest, size_bytes) VALUES (%(digest)s, %(size_bytes)s) ON CONFLICT DO NOTHING
    )
    INSERT INTO blob_links (repository_id, digest) VALUES (%(repository_id)s, %(digest)s)
    ON CONFLICT DO NOTHING
""")


async def link_blob(tx: Transaction, repository_id: int, digest: Digest, *, size_bytes: int) -> None:
    """Make durable content visible in a repository."""
    await tx.run(LINK_BLOB, repository_id=repository_id, digest=digest, size_bytes=size_bytes)


LINK_ALL = SQL("""
    WITH linked AS (
        SELECT digest FROM blob_links
        WHERE repository_id = %(source_id)s AND digest = ANY(%(digests)s::text[]) ORDER BY digest
    ), link AS (
        INSERT INTO blob_links (repository_id, digest) SELECT %(repository_id)s, digest FROM linked
        ON CONFLICT DO NOTHING
    )
    SELECT digest, size_bytes FROM linked JOIN blobs USING (digest) ORDER BY digest
""")


async def link_all(
    tx: Transaction, repository_id: int, digests: list[str], *, source_id: int
) -> list[Content]:
    """Make those blobs of a repository that it has visible in another, and return them with their sizes."""
    return await tx.all(Content, LINK_ALL, repository_id=repository_id, digests=digests, source_id=source_id)


LIST_REPOSITORIES_WITH_BLOB = SQL("""
    SELECT r.name FROM blob_links l JOIN repositories r ON r.id = l.repository_id
    WHERE l.digest = %(digest)s ORDER BY r.id LIMIT %(limit)s
""")


async def list_repositories_with_blob(statements: Statements, digest: Digest, limit: int) -> list[str]:
    """Return names of repositories that the blob is linked into."""
    return await statements.values(LIST_REPOSITORIES_WITH_BLOB, digest=digest, limit=limit)


FIND_LINKED_SIZE = SQL("""
    SELECT b.size_bytes FROM blob_links l
    JOIN repositories r ON r.id = l.repository_id
    JOIN blobs b ON b.digest = l.digest
    WHERE r.name = %(repository)s AND l.digest = %(digest)s
    FOR KEY SHARE OF b
""")


async def find_linked_size(tx: Transaction, repository: str, digest: Digest) -> int | None:
    """Return the size of a linked blob and keep the blob until `tx` ends."""
    found = await tx.value(FIND_LINKED_SIZE, repository=repository, digest=digest)
    return None if found is None else int(found)


UNLINK_BLOB = SQL("""
    DELETE FROM blob_links l USING repositories r
    WHERE r.id = l.repository_id AND r.name = %(repository)s AND l.digest = %(digest)s
""")


async def unlink_blob(tx: Transaction, repository: str, digest: Digest) -> bool:
    """Make a blob invisible in a repository; raise ForeignKeyViolation while a manifest there uses it."""
    return await tx.run(UNLINK_BLOB, repository=repository, digest=digest) == 1
