"""Statements for deleting manifests."""

from app.db import SQL, Transaction
from app.manifests.model import LockedManifest, Relations
from app.oci.digest import Digest

LOCK_MANIFEST = SQL("""
    SELECT m.id, m.digest, r.project_id, hold_immutability_rules(r.project_id) AS held
    FROM manifests m JOIN repositories r ON r.id = m.repository_id
    WHERE r.name = %(repository)s AND m.digest = %(digest)s
    FOR UPDATE OF m
""")


async def lock_manifest(tx: Transaction, repository: str, digest: Digest) -> LockedManifest | None:
    """Return a manifest that nobody else can name, tag or delete until `tx` ends."""
    return await tx.maybe(_locked, LOCK_MANIFEST, repository=repository, digest=digest)


LOCK_ALL = SQL("""
    SELECT m.id, m.digest, r.project_id, hold_immutability_rules(r.project_id) AS held
    FROM manifests m JOIN repositories r ON r.id = m.repository_id
    WHERE r.name = %(repository)s
    ORDER BY m.digest FOR UPDATE OF m
""")


async def lock_all(tx: Transaction, repository: str) -> list[LockedManifest]:
    """Return all manifests of a repository, locked like one."""
    return await tx.all(_locked, LOCK_ALL, repository=repository)


def _locked(*, held: str, **columns: object) -> LockedManifest:
    del held
    return LockedManifest(**columns)  # type: ignore[arg-type]  # columns by their names


HAS_PARENT = SQL("""
    SELECT true FROM manifests m
    JOIN manifest_children c ON c.child_digest = m.digest
    JOIN manifests parent ON parent.id = c.manifest_id AND parent.repository_id = m.repository_id
    WHERE m.id = %(manifest_id)s AND parent.id <> m.id LIMIT 1
""")


async def has_parent(tx: Transaction, manifest_id: int) -> bool:
    """Whether an index of the same repository lists the manifest."""
    return bool(await tx.value(HAS_PARENT, manifest_id=manifest_id))


DELETE_MANIFESTS = SQL("DELETE FROM manifests WHERE id = ANY(%(ids)s::bigint[])")


async def delete_manifests(tx: Transaction, ids: list[int]) -> None:
    """Remove manifests with their tags."""
    await tx.run(DELETE_MANIFESTS, ids=ids)


LOCK_RELATED = SQL("""
    WITH RECURSIVE related AS (
        SELECT m.id, m.repository_id, m.digest FROM manifests m
        JOIN repositories r ON r.id = m.repository_id
        WHERE r.name = %(repository)s AND m.digest = %(digest)s
        UNION
        SELECT found.id, w.repository_id, found.digest
        FROM related w CROSS JOIN LATERAL (
            SELECT a.id, a.digest FROM manifests a
            WHERE a.repository_id = w.repository_id AND a.subject_digest = w.digest
            UNION
            SELECT a.id, a.digest FROM tags t JOIN manifests a ON a.id = t.manifest_id
            WHERE t.repository_id = w.repository_id AND t.name = replace(w.digest, ':', '-') || '.sig'
            UNION
            SELECT child.id, child.digest FROM manifest_children c
            JOIN manifests child ON child.repository_id = w.repository_id AND child.digest = c.child_digest
            WHERE c.manifest_id = w.id
        ) found
    )
    SELECT m.id, m.digest, r.project_id, hold_immutability_rules(r.project_id) AS held
    FROM related JOIN manifests m ON m.id = related.id JOIN repositories r ON r.id = m.repository_id
    ORDER BY m.digest FOR UPDATE OF m
""")


async def lock_related(tx: Transaction, repository: str, digest: Digest) -> list[LockedManifest]:
    """Return a manifest with accessories and members, and theirs, locked like one."""
    return await tx.all(_locked, LOCK_RELATED, repository=repository, digest=digest)


LIST_RELATIONS = SQL("""
    SELECT m.id, EXISTS (SELECT FROM tags t WHERE t.manifest_id = m.id) AS is_tagged,
        ARRAY(
            SELECT parent.id FROM manifest_children c
            JOIN manifests parent ON parent.id = c.manifest_id AND parent.repository_id = m.repository_id
            WHERE c.child_digest = m.digest AND parent.id <> m.id
        ) AS parents,
        ARRAY(
            SELECT s.id FROM manifests s
            WHERE s.repository_id = m.repository_id AND s.digest = m.subject_digest AND s.id <> m.id
            UNION
            SELECT s.id FROM tags t
            JOIN manifests s ON s.repository_id = t.repository_id
                AND s.digest = replace(left(t.name, -length('.sig')), '-', ':')
            WHERE t.manifest_id = m.id AND right(t.name, length('.sig')) = '.sig' AND s.id <> m.id
        ) AS subjects
    FROM manifests m WHERE m.id = ANY(%(ids)s::bigint[])
""")


async def list_relations(tx: Transaction, ids: list[int]) -> list[Relations]:
    """Return what locked manifests belong to, as it is now that they are locked."""
    return await tx.all(_relations, LIST_RELATIONS, ids=ids)


def _relations(*, parents: list[int], subjects: list[int], **columns: object) -> Relations:
    return Relations(parents=frozenset(parents), subjects=frozenset(subjects), **columns)  # type: ignore[arg-type]  # columns by their names
