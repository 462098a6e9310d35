"""Uploads as pieces that the storage keeps apart and puts together itself.

Azure has blocks, Google Cloud Storage objects that it composes: both take pieces of any size, under names
that we choose. docs/decisions/0017 and 0019 say why.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol
from uuid import uuid4

import msgspec
from msgspec import Struct

from app.oci.digest import Digest
from app.storage.driver import SignedPut, StorageError, UploadState

_CLOCKS_DIFFER_SECONDS: Final = 3600
_MERGED: Final = 4
"""As many pieces at the end that fit into one part are made one, so that 5 TB are less than 50,000 pieces."""


class Piece(NamedTuple):
    """Some bytes of an upload, and what they are called."""

    name: str
    size: int


class Upload(Struct, frozen=True):
    """Where an upload's bytes lie."""

    name: str = ""
    pieces: tuple[Piece, ...] = ()
    blob: str = ""
    """Instead: the digest of the blob that the bytes are already, where there were so few."""
    blob_bytes: int = 0
    signed: bool = False
    """URLs were signed for it, so more may lie where `app.storage.pieces_direct` says."""

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self.blob_bytes + sum(piece.size for piece in self.pieces)

    @property
    def state(self) -> UploadState:
        """What the session keeps."""
        kept = {
            "name": self.name,
            "pieces": " ".join(f"{piece.name}:{piece.size}" for piece in self.pieces),
            "blob": self.blob,
            "blob_bytes": str(self.blob_bytes or ""),
            "signed": "true" if self.signed else "",
        }
        return {name: value for name, value in kept.items() if value}

    def cut(self, offset: int, part_bytes: int) -> tuple[Piece, ...]:
        """Return the pieces that stay when the upload is written to from there.

        What lies between them and the offset is to be written once more.
        """
        kept, end = list(self.pieces), self.size
        while end > offset:
            end -= kept.pop().size
        last, length = 0, offset - end
        while last < len(kept) and length + kept[-last - 1].size < part_bytes:
            last += 1
            length += kept[-last].size
        return tuple(kept if last < _MERGED else kept[:-last])


class Container(Protocol):
    """What a service is asked for; its errors are FileNotFoundError and those of storage."""

    part_bytes: int
    most_piece_bytes: int
    """The largest piece that it takes at once."""

    @property
    def can_sign(self) -> bool:
        """Whether there is something to sign URLs with."""

    async def put(self, key: str, content: bytes, *, is_blob: bool) -> None:
        """Store an object whole."""

    async def size(self, key: str) -> int | None:
        """Return the size of an object in bytes, or None."""

    def read(self, key: str, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Ask once for the bytes of an object; raise BrokenOff where less come."""

    async def remove(self, key: str) -> None:
        """Remove an object; fine where there is none."""

    def list_keys(self, below: str) -> AsyncIterator[str]:
        """Yield the key of each object that begins so."""

    async def sign(self, key: str, lifetime: timedelta, *, content_type: str, disposition: str) -> str | None:
        """Return a URL that opens the object for as long, or None."""

    async def sign_piece(
        self, upload: str, piece: str, lifetime: timedelta, *, size: int | None
    ) -> SignedPut:
        """Sign a URL that takes a piece of an upload; `size`: where the service can, just so many bytes.

        Whoever has it may do more to this upload, and nothing to any other.
        """

    async def put_piece(self, upload: str, piece: Piece, content: bytes) -> None:
        """Store a piece of an upload."""

    async def sizes(self, upload: str) -> dict[str, int]:
        """Return the size of every piece of an upload."""

    def read_pieces(self, upload: Upload, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Yield the bytes of an upload."""

    async def fork(self, upload: Upload) -> Upload:
        """Copy an upload under a name that nobody else writes to."""

    async def join(self, upload: Upload, key: str) -> None:
        """Make a blob of an upload's pieces; raise FileNotFoundError when one of them is gone."""

    async def remove_pieces(self, upload: str, pieces: Iterable[Piece]) -> None:
        """Remove some pieces of an upload, where the service does not do so by itself."""

    async def remove_upload(self, upload: str) -> None:
        """Remove all pieces of an upload; fine where there are none."""

    async def freeze(self, upload: Upload, name: str) -> None:
        """Make an upload of another's pieces in one step; leave it as it is where it is there already."""

    async def frozen(self, name: str) -> Upload | None:
        """Return what `freeze` made, once it is whole."""

    def list_uploads(self) -> AsyncIterator[tuple[str, datetime]]:
        """Yield the name of every upload and when it got a piece, as often as there is something of it."""


def upload_of(state: UploadState) -> Upload:
    """Read what a session kept."""
    if unknown := state.keys() - set(Upload.__struct_fields__):
        raise StorageError(f"this upload was not begun on this storage: {', '.join(sorted(unknown))}")
    pieces = [piece.split(":") for piece in state.get("pieces", "").split()]
    return msgspec.convert({**state, "pieces": pieces}, Upload, strict=False)


def new_name() -> str:
    """Return a name for an upload."""
    return uuid4().hex


def new_piece(size: int) -> Piece:
    """Return a name that no other writer gives to a piece, and which says when it was made."""
    return Piece(f"{int(time.time()):08x}{uuid4().hex[:12]}", size)


def made_at(piece: str) -> float:
    """Return when a piece was made, as `time.time` had it; long ago where a client made up its name."""
    with suppress(ValueError):
        made = int(piece[:8], 16)
        return made if made < time.time() + _CLOCKS_DIFFER_SECONDS else 0
    return 0


def blob_upload(digest: Digest, size: int) -> Upload:
    """Return an upload that is a blob already."""
    return Upload(blob=digest, blob_bytes=size)
