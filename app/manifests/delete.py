"""Deleting a manifest by digest (spec.md, end-9)."""

from app.access import Call
from app.db import Transaction
from app.events import ArtifactDeleted, outbox
from app.manifests import delete_store as store
from app.manifests import usage_store
from app.manifests.growth import shrink
from app.manifests.model import LockedManifest, Relations
from app.oci.digest import Digest
from app.oci.errors import ManifestInUse, ManifestUnknown
from app.quotas.usage import release
from app.resources import Resources
from app.tags.point import tags_to_lose


async def delete_manifest(r: Resources, call: Call, digest: Digest) -> None:
    """Delete it with its tags; raises as `remove_manifest` does."""
    await shrink(r, lambda tx: remove_manifest(tx, call, digest))


async def delete_deeply(tx: Transaction, call: Call, digest: Digest) -> None:
    """Delete a manifest with what belongs to it alone: accessories, and members that nothing else names.

    A member with a tag, or in another index, stays. All are locked at once, in the order that everybody
    keeps: who deletes two images on the same layers would else wait for the other one. Raises as
    `remove_manifest` does.
    """
    locked = {manifest.id: manifest for manifest in await store.lock_related(tx, call.repository, digest)}
    root = next((manifest for manifest in locked.values() if manifest.digest == digest), None)
    if root is None:
        raise ManifestUnknown(digest)
    relations = {one.id: one for one in await store.list_relations(tx, list(locked))}
    if relations[root.id].parents:
        raise ManifestInUse(digest)
    gone = _gone_with(root.id, relations)
    await _remove_and_tell(tx, call, [locked[one] for one in gone])


def _gone_with(root_id: int, relations: dict[int, Relations]) -> list[int]:
    """Return what is to be deleted, the manifest first and what belongs to it behind."""
    gone = {root_id: None}
    left = {one: relation for one, relation in relations.items() if one != root_id}
    while found := [one for one, relation in left.items() if relation.goes_with(set(gone))]:
        gone |= dict.fromkeys(found)
        left = {one: relation for one, relation in left.items() if one not in gone}
    return list(gone)


async def remove_manifest(tx: Transaction, call: Call, digest: Digest) -> None:
    """Delete a manifest with its tags, and count what nothing else in the project uses no more.

    Raises:
        ManifestUnknown: there is none.
        ManifestInUse: an index lists it.
        PreconditionFailed: one of its tags is immutable.
    """
    manifest = await store.lock_manifest(tx, call.repository, digest)
    if manifest is None:
        raise ManifestUnknown(digest)
    if await store.has_parent(tx, manifest.id):
        raise ManifestInUse(digest)
    await _remove_and_tell(tx, call, [manifest])


async def _remove_and_tell(tx: Transaction, call: Call, manifests: list[LockedManifest]) -> None:
    tags = await _remove(tx, call, manifests)
    events = [
        ArtifactDeleted(
            repository_name=call.repository, digest=manifest.digest, tags=tuple(tags.get(manifest.id, ()))
        )
        for manifest in manifests
    ]
    await outbox.record(tx, call.cause, *events)


async def remove_all(tx: Transaction, call: Call) -> None:
    """Delete all manifests of a repository that nobody else can push to until `tx` ends, and their tags.

    Each is told of, as in Harbor: who follows deletions of artifacts need not know of repositories. Raises
    PreconditionFailed where one of the tags is immutable.
    """
    await _remove_and_tell(tx, call, await store.lock_all(tx, call.repository))


async def _remove(tx: Transaction, call: Call, manifests: list[LockedManifest]) -> dict[int, list[str]]:
    """Delete manifests of one repository and return their tags.

    What they use is locked before their tags go: a push has it first and then moves tags, too.
    """
    if not manifests:
        return {}
    project_id, ids = manifests[0].project_id, [manifest.id for manifest in manifests]
    used = await usage_store.lock_used(tx, project_id, ids)
    tags = await tags_to_lose(tx, call.repository, project_id, manifest_ids=ids)
    await store.delete_manifests(tx, ids)
    release(tx, project_id, await usage_store.delete_unused(tx, project_id, used))
    return tags
