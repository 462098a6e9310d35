"""Uploads by URLs that the storage takes bytes at: asking for them, and for what has come.

The URLs belong to a session, which takes bytes in no other way from then on. `verify` closes it.
"""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from app.access import Call
from app.blobs import direct_store as store
from app.blobs import session_store as sessions
from app.blobs.model import UploadSession
from app.db import Transaction
from app.oci.digest import Digest
from app.oci.errors import BlobUploadExpired, BlobUploadInvalid, BlobUploadUnknown, PresigningUnsupported
from app.quotas.model import Incoming
from app.quotas.usage import reserve_room
from app.resources import Resources
from app.storage import DirectPart, DirectUploads, UploadState

MOST_PARTS: Final = 10_000
"""As many as S3 takes."""
MOST_URLS: Final = 1_000

_MIXED: Final = "bytes of this upload came through the registry; start another one for signed URLs"
_UNSIGNED: Final = "this upload has no signed URLs; ask for some by `presigned=true`"
_CLOSED: Final = "this upload is closed and takes no more bytes; start another one"


class Wanted(Struct, frozen=True):
    """Which URLs a client wants: of these parts, for a blob of this digest and size, as far as it says.

    `is_whole`: one URL for all the bytes. `is_all`: these are all the parts.
    """

    is_whole: bool = True
    is_all: bool = True
    first: int = 1
    count: int = 1
    digest: Digest | None = None
    size: int | None = None


class PresignedPart(Struct, frozen=True):
    """Where a part is sent, until when, and with which headers."""

    part_number: int
    presigned_url: str
    expires_at: datetime
    headers: dict[str, str]


async def presign(r: Resources, call: Call, upload_id: UUID, *, wanted: Wanted) -> list[PresignedPart]:
    """Return signed URLs; the first that are asked for give the session over to them.

    Room for as many bytes as the client says is kept in the project's quota until the session ends.

    Raises:
        BlobUploadUnknown, BlobUploadExpired: there is no such session, or no more.
        BlobUploadInvalid: bytes came by other ways, it is closed, or the parts are too small.
        PresigningUnsupported: the storage cannot sign.
        StorageExceeded: so large a blob cannot fit into the project's quota.
    """
    session = await _find(r, call, upload_id)
    direct = _signing(r)
    sizes = _sizes(wanted, direct)
    if wanted.size is not None:
        await _reserve(r, call, session, blob=Incoming(wanted.size, wanted.digest, session.id))
    state = await _open(r, call, session, digest=wanted.digest if wanted.is_whole else None)
    lifetime = await r.storage.lasting(r.settings.uploads.presigned_lifetime)
    expires_at = datetime.now(UTC).replace(microsecond=0) + lifetime
    parts = []
    for number, size in enumerate(sizes, wanted.first):
        signed = await direct.sign(state, number, lifetime, size=size)
        parts.append(PresignedPart(number, signed.url, expires_at, dict(signed.headers)))
    return parts


async def list_parts(r: Resources, call: Call, upload_id: UUID) -> list[DirectPart]:
    """Return the parts that have come; raise as `presign` does."""
    session = await _find(r, call, upload_id)
    direct = _signing(r)
    if session.direct != "open":
        raise BlobUploadInvalid(_CLOSED if session.direct else _UNSIGNED)
    try:
        return await direct.list_parts(session.storage_state)
    except FileNotFoundError:
        raise BlobUploadUnknown("its parts are gone; start again") from None


async def _find(r: Resources, call: Call, upload_id: UUID) -> UploadSession:
    session = await sessions.find_session(r.database, call.repository, upload_id)
    if session is None:
        expiry = await store.find_expiry(r.database, call.repository, upload_id)
        raise (BlobUploadExpired if expiry else BlobUploadUnknown)(str(upload_id))
    return session


async def _reserve(r: Resources, call: Call, session: UploadSession, *, blob: Incoming) -> None:
    async def note(tx: Transaction, project_id: int) -> None:
        await store.update_reserved(tx, session.id, project_id, size_bytes=blob.size_bytes)

    await reserve_room(r, call, blob, note=note)


def _signing(r: Resources) -> DirectUploads:
    direct = r.storage.direct
    if direct is None:
        raise PresigningUnsupported("send the bytes to the registry")
    return direct


def _sizes(wanted: Wanted, direct: DirectUploads) -> list[int | None]:
    """Return how many bytes each URL takes; None where the client has not said enough to tell."""
    size, count, least, most = wanted.size, wanted.count, direct.least_part_bytes, direct.most_part_bytes
    if size is None or not wanted.is_all:
        return [None] * count
    if count > 1 and size // count < least:
        raise BlobUploadInvalid(f"{count} parts of {size} bytes are too small: {least} bytes at least")
    if size > most * count:
        raise BlobUploadInvalid(f"one URL takes {most} bytes at most; ask for more of them by `parts`")
    return [size * (part + 1) // count - size * part // count for part in range(count)]


async def _open(r: Resources, call: Call, session: UploadSession, *, digest: Digest | None) -> UploadState:
    """Return where the session's bytes go, which is decided by its first URL."""
    expiry = r.settings.uploads.expiry
    if session.direct == "open" and await store.update_expiry(r.database, session.id, expiry=expiry):
        return session.storage_state
    if session.direct is not None:
        raise BlobUploadInvalid(_CLOSED)
    state = await _signing(r).begin(digest)
    if await store.update_open(r.database, session.id, state, expiry=expiry):
        return state
    await r.storage.discard(state)
    now = await _find(r, call, session.id)
    if now.direct != "open":
        raise BlobUploadInvalid(_MIXED)
    return now.storage_state
