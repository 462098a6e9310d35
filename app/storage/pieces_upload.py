"""Writing an upload in pieces."""

from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any

from msgspec.structs import replace

from app.oci.digest import Digest
from app.storage.driver import UploadState
from app.storage.parts import Filling
from app.storage.paths import blob_key
from app.storage.patience import tidying
from app.storage.pieces import Container, Piece, Upload, blob_upload, new_name, new_piece


class PieceWriter:
    """Appends to one upload."""

    def __init__(self, container: Container, upload: Upload, offset: int) -> None:
        self._container = container
        self._opened = upload
        self._upload = replace(upload, pieces=upload.cut(offset, container.part_bytes))
        self._unread = (self._upload.size, offset)
        self._is_changed = offset != upload.size
        self._added: list[Piece] = []
        self._filling = Filling(self._send, self._upload.size, container.part_bytes)

    async def write(self, chunk: bytes) -> None:
        """Append; pieces that are full go on their way."""
        if chunk:
            await self._take_up_rest()
            self._is_changed = True
            await self._filling.fill(chunk)

    async def finish(self, blob: Digest | None = None) -> UploadState:
        """Make durable all that was written."""
        if not self._is_changed:
            return self._opened.state
        await self._take_up_rest()
        if blob is not None and not self._filling.stored:
            content = self._filling.take()
            await self._container.put(blob_key(blob), content, is_blob=True)
            self._upload = blob_upload(blob, len(content))
            return self._upload.state
        await self._filling.end()
        return replace(self._upload, pieces=(*self._upload.pieces, *self._added)).state

    async def drop(self) -> None:
        """Remove what this writer added and no session names."""
        await self._filling.closed()
        async with tidying():
            if not self._opened.name and self._upload.name:
                await self._container.remove_upload(self._upload.name)
            elif self._added:
                await self._container.remove_pieces(self._upload.name, self._added)

    def close(self) -> None:
        """Give up the pieces that are still on their way."""
        self._filling.close()

    async def _take_up_rest(self) -> None:
        """Begin with what lies behind the last piece that stays."""
        (start, stop), self._unread = self._unread, (0, 0)
        if start >= stop:
            return
        async with aclosing(self._container.read_pieces(self._opened, start, stop)) as contents:
            async for content in contents:
                await self._filling.fill(content)

    async def _send(self, content: bytes) -> Coroutine[Any, Any, None]:
        """Send what has gathered as the next piece."""
        if not self._upload.name:
            self._upload = replace(self._upload, name=new_name())
        piece = new_piece(len(content))
        self._added.append(piece)
        return self._container.put_piece(self._upload.name, piece, content)
