"""Uploads that clients send to the storage in pieces of their own, by URLs that can be used again and again.

uploads/NAME.open     there as long as the upload takes pieces
uploads/NAME.signed   the pieces: what URLs are signed for
uploads/NAME          what was made of them, once: no URL was ever signed for it

Neither Azure nor Google can end a URL before its time. So what is looked at is a copy, and what comes later
belongs to nothing, until `list_uploads` finds it. docs/decisions/0016 says more.
"""

import re
import time
from contextlib import suppress
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from app.oci.digest import Digest
from app.storage.direct import require_whole
from app.storage.driver import DirectPart, Frozen, SignedPut, StorageError, UploadState
from app.storage.paths import upload_key
from app.storage.pieces import Container, Piece, Upload, new_name, upload_of

_OPEN: Final = ".open"
_SIGNED: Final = ".signed"
_PIECE: Final = re.compile(r"[0-9a-f]{11}(?P<number>[0-9a-f]{4})(?P<size>[0-9a-f]{12}|-{12})")


class PieceDirectUploads:
    """Implements `app.storage.DirectUploads` on a container."""

    least_part_bytes = 1

    def __init__(self, container: Container) -> None:
        self._container = container
        self.most_part_bytes = container.most_piece_bytes

    async def begin(self, digest: Digest | None) -> UploadState:  # noqa: ARG002 - none of them knows SHA-256
        """Make an upload that is open."""
        name = new_name()
        await self._container.put(upload_key(name + _OPEN), b"", is_blob=False)
        return Upload(name=name, signed=True).state

    async def sign(
        self, state: UploadState, part: int, lifetime: timedelta, *, size: int | None = None
    ) -> SignedPut:
        """Sign a URL for a piece whose name says which part it is, and how large it has to be."""
        upload = upload_of(state).name + _SIGNED
        signed = await self._container.sign_piece(upload, _new_piece(part, size), lifetime, size=size)
        if size is None:
            return signed
        return replace(signed, headers={**signed.headers, "Content-Length": str(size)})

    async def list_parts(self, state: UploadState) -> list[DirectPart]:
        """Ask the storage for the pieces."""
        pieces = await self._pieces(upload_of(state).name)
        return [DirectPart(number, piece.size) for number, piece in pieces.items()]

    async def freeze(self, state: UploadState) -> Frozen:
        """Have the pieces put together under a name that no URL was signed for."""
        name = upload_of(state).name
        frozen = await self._container.frozen(name) or await self._freeze(name)
        with suppress(StorageError):
            # It is done; what cannot be removed now is removed with the upload.
            await end(self._container, name)
        return Frozen(replace(frozen, signed=True).state, frozen.size)

    async def _freeze(self, name: str) -> Upload:
        pieces = await self._pieces(name)
        require_whole([DirectPart(n, piece.size) for n, piece in pieces.items()], self.least_part_bytes)
        whole = tuple(piece for piece in pieces.values() if piece.name)
        await self._container.freeze(Upload(name + _SIGNED, whole), name)
        frozen = await self._container.frozen(name)
        if frozen is None:
            raise StorageError("what was put together is not there")
        return frozen

    async def _pieces(self, name: str) -> dict[int, Piece]:
        """Return the piece of each part: of several, the one whose URL was asked for last."""
        sizes = await self._container.sizes(name + _SIGNED)
        if await self._container.size(upload_key(name + _OPEN)) is None:
            raise FileNotFoundError("the upload is frozen or gone")
        found = {}
        for piece in sorted(sizes):
            read = _PIECE.fullmatch(piece)
            if read and ("-" in read["size"] or int(read["size"], 16) == sizes[piece]):
                found[int(read["number"], 16)] = Piece(piece, sizes[piece])
        if not found and await self._container.size(upload_key(name + _SIGNED)) == 0:
            return {1: Piece("", 0)}  # what Azure takes in place of an empty block
        return dict(sorted(found.items()))


async def end(container: Container, name: str) -> None:
    """Remove what clients sent, and take no more of it."""
    await container.remove(upload_key(name + _OPEN))
    await container.remove_upload(name + _SIGNED)


def owner_of(found: str) -> tuple[str, bool]:
    """Return the name of the upload that something belongs to, and whether URLs were signed for it."""
    name, _, kind = found.partition(".")
    return name, bool(kind)


def _new_piece(part: int, size: int | None) -> str:
    now = time.time()
    said = "-" * 12 if size is None else f"{size:012x}"
    return f"{int(now):08x}{int(now % 1 * 4096):03x}{part:04x}{said}"
