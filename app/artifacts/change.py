"""Changing artifacts: deleting and copying them, their tags and their labels."""

from typing import Final

from app.access import Call
from app.artifacts import change_store as store
from app.artifacts.browse import NO_ARTIFACT
from app.db import ForeignKeyViolation, Transaction
from app.events import ArtifactLabeled, ArtifactUnlabeled, outbox
from app.harbor.errors import BadRequest, Conflict, NotFound, PreconditionFailed
from app.manifests import pull
from app.manifests.copy import copy_manifest
from app.manifests.delete import delete_deeply, remove_all
from app.manifests.growth import shrink
from app.manifests.model import StoredManifest
from app.oci.digest import Digest
from app.oci.errors import DigestInvalid, ManifestInUse, ManifestUnknown, NameInvalid
from app.oci.names import RepositoryName, Tag, parse_reference
from app.repositories.manage import NO_REPOSITORY
from app.repositories.remove import lock_for_removal, remove_repository
from app.resources import Resources
from app.tags.point import add_tag, delete_tag

_NO_TAG: Final = "the artifact has no such tag"


async def delete_artifact(r: Resources, call: Call, reference: Tag | Digest) -> None:
    """Delete an artifact with its tags, accessories and those members that nothing else names.

    Raises:
        NotFound: it is not there.
        PreconditionFailed: an index lists it.
    """
    manifest = await _find(r, call.repository, reference)
    try:
        await shrink(r, lambda tx: delete_deeply(tx, call, manifest.digest))
    except ManifestUnknown:
        raise NotFound(NO_ARTIFACT) from None
    except ManifestInUse:
        raise PreconditionFailed("an index lists the artifact: delete the index first") from None


async def delete_repository(r: Resources, call: Call) -> None:
    """Delete a repository with all that is in it; raise NotFound, or PreconditionFailed."""

    async def work(tx: Transaction) -> None:
        repository_id = await lock_for_removal(tx, call.repository)
        if repository_id is None:
            raise NotFound(NO_REPOSITORY)
        await remove_all(tx, call)
        await remove_repository(tx, call, repository_id)

    await shrink(r, work)


def parse_source(text: str) -> tuple[RepositoryName, Tag | Digest]:
    """Return repository and reference of `project/repository:tag` or `@digest`; raise BadRequest."""
    name, at, digest = text.partition("@")
    path, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    try:
        if not slash:
            raise NameInvalid(name)
        return RepositoryName.parse(f"{path}/{last}"), parse_reference(digest if at else tag)
    except (NameInvalid, DigestInvalid):
        raise BadRequest(
            "from: name the artifact as project/repository:tag or project/repository@digest"
        ) from None


async def copy_artifact(r: Resources, call: Call, *, source: RepositoryName, reference: Tag | Digest) -> None:
    """Copy an artifact, with its tags and what belongs to it, from another repository; raise NotFound."""
    manifest = await _find(r, source, reference)
    try:
        await copy_manifest(r, call, manifest.digest, source=source)
    except ManifestUnknown:
        raise NotFound(NO_ARTIFACT) from None


async def create_tag(r: Resources, call: Call, reference: Tag | Digest, *, name: str) -> None:
    """Add a tag to an artifact.

    Raises:
        NotFound: there is no such artifact.
        Conflict: the repository has a tag of that name.
        NameInvalid: no tag can have this name.
    """
    tag = Tag.parse(name)
    manifest = await _find(r, call.repository, reference)
    try:
        async with r.database.transaction() as tx:
            if not await add_tag(tx, call, manifest.id, digest=manifest.digest, name=tag):
                raise Conflict("the repository has a tag of this name already")
    except ForeignKeyViolation:
        raise NotFound(NO_ARTIFACT) from None


async def remove_tag(r: Resources, call: Call, reference: Tag | Digest, *, name: str) -> None:
    """Take a tag from an artifact; raise NotFound."""
    tag = Tag.parse(name)
    manifest = await _find(r, call.repository, reference)
    try:
        await delete_tag(r, call, tag, manifest_id=manifest.id)
    except ManifestUnknown:
        raise NotFound(_NO_TAG) from None


async def attach_label(r: Resources, call: Call, reference: Tag | Digest, *, label_id: int) -> None:
    """Give an artifact a label of its project or a global one; raise NotFound or Conflict."""
    manifest = await _find(r, call.repository, reference)
    try:
        async with r.database.transaction() as tx:
            name = await store.lock_label(tx, label_id, project_id=call.standing.project_id or 0)
            if name is None:
                raise NotFound("there is no such label, global or of this project")
            if not await store.insert_label(tx, manifest.id, label_id):
                raise Conflict("the artifact has this label already")
            event = ArtifactLabeled(repository_name=call.repository, digest=manifest.digest, label=name)
            await outbox.record(tx, call.cause, event)
    except ForeignKeyViolation:
        raise NotFound(NO_ARTIFACT) from None


async def detach_label(r: Resources, call: Call, reference: Tag | Digest, *, label_id: int) -> None:
    """Take a label from an artifact; raise NotFound."""
    manifest = await _find(r, call.repository, reference)
    async with r.database.transaction() as tx:
        name = await store.delete_label(tx, manifest.id, label_id)
        if name is None:
            raise NotFound("the artifact does not have this label")
        event = ArtifactUnlabeled(repository_name=call.repository, digest=manifest.digest, label=name)
        await outbox.record(tx, call.cause, event)


async def _find(r: Resources, repository: RepositoryName, reference: Tag | Digest) -> StoredManifest:
    try:
        return await pull.find(r, repository, reference)
    except ManifestUnknown:
        raise NotFound(NO_ARTIFACT) from None
