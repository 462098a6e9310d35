"""Deleting a blob from a repository (spec.md, end-10). Its bytes stay: others may have it."""

from app.access import Call
from app.blobs import store
from app.db import ForeignKeyViolation
from app.events import BlobDeleted, outbox
from app.oci.digest import Digest
from app.oci.errors import BlobInUse, BlobUnknown
from app.resources import Resources


async def delete_blob(r: Resources, call: Call, digest: Digest) -> None:
    """Unlink the blob; raise BlobUnknown, or BlobInUse while a manifest of the repository uses it."""
    try:
        async with r.database.transaction() as tx:
            if not await store.unlink_blob(tx, call.repository, digest):
                raise BlobUnknown(digest)
            await outbox.record(tx, call.cause, BlobDeleted(repository_name=call.repository, digest=digest))
    except ForeignKeyViolation:
        raise BlobInUse(digest) from None
