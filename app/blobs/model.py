"""Blobs, and uploads: their state is in the database, so that any process can go on with any of them."""

from datetime import datetime
from typing import Final, Literal, NamedTuple, TypeAlias
from uuid import UUID

from msgspec import Struct

from app.oci.digest import Algorithm, Digest
from app.storage import UploadState

INLINE_BYTES: Final = 64 << 10
"""Up to this size an upload stays in its session's row, and a blob is read and sent in one piece."""


class Content(NamedTuple):
    """A blob that a repository has, or that a manifest names."""

    digest: str
    size_bytes: int


class Totals(NamedTuple):
    """How many blobs there are, and how many bytes they have."""

    number: int
    size_bytes: int


DirectStage: TypeAlias = Literal["open", "frozen", "hashing"]
"""How far an upload by signed URLs is: taking bytes, put together, with a worker that reads it."""


class Standing(NamedTuple):
    """How a session stands for whoever wants to end it: at which offset, and with which writer."""

    upload_id: UUID
    offset_bytes: int
    lease_token: UUID | None


class Progress(NamedTuple):
    """How far an upload got: what is durable in storage, where, and the hash of it."""

    offset_bytes: int
    hash_state: bytes | None
    storage_state: UploadState


class Removal(Struct, frozen=True):
    """Content that is being removed from storage as nobody's, and when that was last seen to go on."""

    seen_at: datetime
    digests: tuple[Digest, ...]


class UploadSession(Struct, frozen=True):
    """One upload, as it stands in the database."""

    id: UUID
    repository_name: str
    offset_bytes: int
    algorithm: Algorithm
    hash_state: bytes | None
    tail: bytes
    storage_state: UploadState
    lease_token: UUID | None
    direct: DirectStage | None = None
    found_digest: Digest | None = None
    is_contested: bool = False

    @property
    def standing(self) -> Standing:
        """How it stood when it was read."""
        return Standing(self.id, self.offset_bytes, self.lease_token)

    @property
    def stored_bytes(self) -> int:
        """How many bytes are in storage; the rest is `tail`."""
        return self.offset_bytes - len(self.tail)


def whereabouts(repository: str, upload_id: UUID, offset_bytes: int) -> dict[str, str]:
    """Return the headers that tell where an upload goes on (spec.md, "Pushing a blob in chunks").

    Both ends of Range are inclusive, so nothing and one byte look the same; clients count themselves.
    """
    return {
        "Location": f"/v2/{repository}/blobs/uploads/{upload_id}",
        "Range": f"0-{max(offset_bytes - 1, 0)}",
    }
