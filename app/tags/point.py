"""Tags that come, move and go."""

from datetime import datetime

from msgspec import Struct

from app.access import Call
from app.db import Transaction
from app.events import TagCreated, TagDeleted, TagMoved, outbox
from app.immutability.model import decoded
from app.immutability.protect import require_mutable, rules_in_force
from app.oci.digest import Digest
from app.oci.errors import ManifestUnknown
from app.oci.names import RepositoryName, Tag
from app.resources import Resources
from app.tags import store


class Target(Struct, frozen=True):
    """A manifest that tags point to, as the events name it."""

    repository_id: int
    repository_name: RepositoryName
    digest: Digest


async def add_tag(tx: Transaction, call: Call, manifest_id: int, *, digest: Digest, name: Tag) -> bool:
    """Add a tag of a manifest and say so; False when the repository has one of that name already.

    Raises ForeignKeyViolation where the manifest is gone.
    """
    if not await store.insert_tag(tx, manifest_id, name):
        return False
    event = TagCreated(repository_name=call.repository, tag=name, digest=digest)
    await outbox.record(tx, call.cause, event)
    return True


async def moved_tags(tx: Transaction, target: Target, names: list[str]) -> list[TagMoved]:
    """Return what to record of tags that `tx` has moved to the manifest.

    Raises PreconditionFailed where a rule of immutability protects one of them; an earlier statement of `tx`
    has to hold the rules. A tag that points to where it pointed before was not moved.
    """
    if not names:
        return []
    moved = await store.list_moved(tx, target.repository_id, names)
    require_mutable(decoded(moved[0].rules or "[]"), target.repository_name, names)
    return [
        TagMoved(
            repository_name=target.repository_name,
            tag=tag.name,
            digest=target.digest,
            previous_digest=tag.previous_digest,
        )
        for tag in moved
    ]


async def delete_tag(r: Resources, call: Call, tag: Tag, *, manifest_id: int | None = None) -> None:
    """Remove a tag (spec.md, end-9), or only if it points to this manifest.

    Raises ManifestUnknown, or PreconditionFailed.
    """
    async with r.database.transaction() as tx:
        deleted = await store.delete_tag(tx, call.repository, tag, manifest_id=manifest_id)
        if deleted is None:
            raise ManifestUnknown(tag)
        require_mutable(await rules_in_force(tx, deleted.project_id), call.repository, [tag])
        digest = await store.get_digest(tx, deleted.manifest_id)
        event = TagDeleted(repository_name=call.repository, tag=tag, digest=digest)
        await outbox.record(tx, call.cause, event)


async def tags_to_lose(
    tx: Transaction, repository: RepositoryName, project_id: int, *, manifest_ids: list[int]
) -> dict[int, list[str]]:
    """Return the tags of manifests that are to be deleted, by manifest.

    Raises PreconditionFailed where one is immutable; an earlier statement of `tx` has to hold the rules.
    """
    found: dict[int, list[str]] = {}
    for tag in await store.list_tags_of(tx, manifest_ids):
        found.setdefault(tag.manifest_id, []).append(tag.name)
    if found:
        rules = await rules_in_force(tx, project_id)
        for names in found.values():
            require_mutable(rules, repository, names)
    return found


async def note_tag_pull(tx: Transaction, repository: str, tag: str, *, pulled_at: datetime) -> None:
    """Remember when a tag was last pulled."""
    await store.note_tag_pull(tx, repository, tag, pulled_at=pulled_at)
