"""Statements on tags."""

from datetime import datetime

from msgspec import Struct

from app.db import SQL, Statements, Transaction

LIST_TAGS = SQL("""
    SELECT ARRAY(
        SELECT t.name FROM tags t WHERE t.repository_id = r.id AND t.name > %(last)s
        ORDER BY t.name LIMIT %(limit)s
    )
    FROM repositories r WHERE r.name = %(repository)s
""")


async def list_tags(statements: Statements, repository: str, *, last: str, limit: int) -> list[str] | None:
    """Return the names after `last`, in the order of bytes; None where there is no such repository."""
    found: list[str] | None = await statements.value(LIST_TAGS, repository=repository, last=last, limit=limit)
    return found


class Moved(Struct, frozen=True):
    """A tag that pointed elsewhere before; `rules` are those of its project in force, as JSON."""

    name: str
    previous_digest: str
    rules: str | None


LIST_MOVED = SQL("""
    SELECT t.name, m.digest AS previous_digest, (
        SELECT json_agg(json_build_object('tags', tag_selectors, 'scopes', scope_selectors))::text
        FROM repositories r JOIN immutability_rules i ON i.project_id = r.project_id
        WHERE r.id = t.repository_id AND NOT i.is_disabled
    ) AS rules
    FROM tags t JOIN manifests m ON m.id = t.previous_manifest_id
    WHERE t.repository_id = %(repository_id)s AND t.name = ANY(%(names)s::text[])
    ORDER BY t.name
""")


async def list_moved(tx: Transaction, repository_id: int, names: list[str]) -> list[Moved]:
    """Return tags that `tx` has moved, with the rules that may keep them from it."""
    return await tx.all(Moved, LIST_MOVED, repository_id=repository_id, names=names)


INSERT_TAG = SQL("""
    INSERT INTO tags (repository_id, name, manifest_id) VALUES (
        coalesce((SELECT repository_id FROM manifests WHERE id = %(manifest_id)s), 0),
        %(name)s, %(manifest_id)s
    )
    ON CONFLICT (repository_id, name) DO NOTHING
""")


async def insert_tag(tx: Transaction, manifest_id: int, name: str) -> bool:
    """Add a tag of a manifest; False when the repository has one of that name.

    Raises ForeignKeyViolation where the manifest is gone.
    """
    return await tx.run(INSERT_TAG, manifest_id=manifest_id, name=name) == 1


class Deleted(Struct, frozen=True):
    """A tag that is gone."""

    manifest_id: int
    project_id: int


DELETE_TAG = SQL("""
    DELETE FROM tags t USING repositories r
    WHERE r.id = t.repository_id AND r.name = %(repository)s AND t.name = %(name)s
        AND t.manifest_id = coalesce(%(manifest_id)s::bigint, t.manifest_id)
    RETURNING t.manifest_id, r.project_id, hold_immutability_rules(r.project_id) AS held
""")


async def delete_tag(
    tx: Transaction, repository: str, name: str, *, manifest_id: int | None
) -> Deleted | None:
    """Remove a tag, if it points to the manifest (None: to any), and return where it pointed to.

    The rules of immutability stay until `tx` ends.
    """
    return await tx.maybe(_deleted, DELETE_TAG, repository=repository, name=name, manifest_id=manifest_id)


def _deleted(*, held: str, **columns: object) -> Deleted:
    del held
    return Deleted(**columns)  # type: ignore[arg-type]  # columns by their names


GET_DIGEST = SQL("SELECT digest FROM manifests WHERE id = %(manifest_id)s")


async def get_digest(tx: Transaction, manifest_id: int) -> str:
    """Return the digest of a manifest that a tag pointed to."""
    return str(await tx.value(GET_DIGEST, manifest_id=manifest_id))


LIST_TAGS_OF = SQL(
    "SELECT name, manifest_id FROM tags WHERE manifest_id = ANY(%(ids)s::bigint[]) ORDER BY name"
)


class TagOf(Struct, frozen=True):
    """A tag of a manifest."""

    name: str
    manifest_id: int


async def list_tags_of(tx: Transaction, manifest_ids: list[int]) -> list[TagOf]:
    """Return the tags that point to manifests."""
    return await tx.all(TagOf, LIST_TAGS_OF, ids=manifest_ids)


NOTE_TAG_PULL = SQL("""
    UPDATE tags t SET pulled_at = greatest(t.pulled_at, %(pulled_at)s) FROM repositories r
    WHERE r.id = t.repository_id AND r.name = %(repository)s AND t.name = %(name)s
""")


async def note_tag_pull(tx: Transaction, repository: str, name: str, *, pulled_at: datetime) -> None:
    """Remember when a tag was last pulled."""
    await tx.run(NOTE_TAG_PULL, repository=repository, name=name, pulled_at=pulled_at)
