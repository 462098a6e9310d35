"""Mounting a blob from one repository into another (spec.md, end-11)."""

from typing import Final

from app.access import Call
from app.access.routing import Authority
from app.blobs import store
from app.blobs.model import Content
from app.db import Transaction
from app.oci.digest import Digest
from app.oci.names import RepositoryName
from app.quotas.model import Incoming
from app.quotas.usage import require_room
from app.repositories.create import repository_for_push
from app.resources import Resources

_CANDIDATES: Final = 100
"""Repositories that an anonymous mount looks at."""


async def mount(
    r: Resources, call: Call, digest: Digest, *, source: RepositoryName | None, authority: Authority
) -> bool:
    """Link the blob if the person behind the request may pull it from `source` (None: from anywhere).

    False says nothing about whether the blob exists: the client uploads it. Raises StorageExceeded where it
    cannot fit into the project's quota.
    """
    if source is None:
        async with r.database.autocommit() as statements:
            candidates = await store.list_repositories_with_blob(statements, digest, _CANDIDATES)
    else:
        candidates = [source]
    for repository in await authority.pullable(call.actor, candidates):
        if await _link(r, call, digest, source=repository):
            return True
    return False


async def link_all(tx: Transaction, repository_id: int, digests: list[str], *, source: int) -> list[Content]:
    """Link those of the blobs that the source has, and return them with their sizes in bytes.

    The caller holds them there.
    """
    return await store.link_all(tx, repository_id, digests, source_id=source)


async def _link(r: Resources, call: Call, digest: Digest, *, source: str) -> bool:
    stored = await store.find_blob_size(r.database, source, digest)
    if stored is None:
        return False
    await require_room(r, call, Incoming(stored, digest))
    async with r.database.transaction() as tx:
        size = await store.find_linked_size(tx, source, digest)
        if size is None:
            return False
        repository_id = await repository_for_push(r, tx, call)
        await store.link_blob(tx, repository_id, digest, size_bytes=size)
    return True
