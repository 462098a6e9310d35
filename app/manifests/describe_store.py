"""Statements on what lists show of manifests beyond what a push knows."""

from msgspec import Struct

from app.db import SQL, Statements, Transaction


class Undescribed(Struct, frozen=True):
    """A manifest whose config was not read yet; `blobs` are those that its repository had."""

    id: int
    media_type: str
    payload: bytes
    blobs: list[str]


def _undescribed(*, payload: memoryview, **columns: object) -> Undescribed:
    return Undescribed(payload=bytes(payload), **columns)  # type: ignore[arg-type]  # columns by their names


LIST_UNDESCRIBED = SQL("""
    SELECT DISTINCT ON (m.id) m.id, m.media_type, m.payload,
        ARRAY(SELECT b.digest FROM manifest_blobs b WHERE b.manifest_id = m.id) AS blobs
    FROM unnest(%(repositories)s::text[], %(digests)s::text[]) AS pushed (repository, digest)
    JOIN repositories r ON r.name = pushed.repository
    JOIN manifests m ON m.repository_id = r.id AND m.digest = pushed.digest
    WHERE m.extra_attrs IS NULL ORDER BY m.id
""")


async def list_undescribed(
    statements: Statements, repositories: list[str], digests: list[str]
) -> list[Undescribed]:
    """Return those of the manifests, by repository and digest, whose config was not read yet."""
    return await statements.all(_undescribed, LIST_UNDESCRIBED, repositories=repositories, digests=digests)


UPDATE_ATTRIBUTES = SQL("""
    UPDATE manifests m SET extra_attrs = read.attributes::json
    FROM unnest(%(ids)s::bigint[], %(attributes)s::text[]) AS read (id, attributes)
    WHERE m.id = read.id
""")


async def update_attributes(tx: Transaction, ids: list[int], attributes: list[str]) -> None:
    """Keep what the configs of manifests say, as JSON."""
    await tx.run(UPDATE_ATTRIBUTES, ids=ids, attributes=attributes)
