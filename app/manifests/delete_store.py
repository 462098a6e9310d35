"""Statements for deleting manifests."""

from app.db import SQL, Transaction
from app.manifests.model import Dependent, LockedManifest
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
