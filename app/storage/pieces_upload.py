"""Writing an upload in pieces: one fills while those before it are on their way."""

import asyncio
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from app.oci.digest import Digest
from app.storage.driver import StorageError, UploadState
from app.storage.parts import part_size
from app.storage.paths import blob_key
from app.storage.pieces import Container, Piece, Upload, blob_upload, new_name, new_piece

_PIECES_UNDER_WAY: Final = 2
"""With the one that fills, this bounds what an upload takes of memory."""


class PieceWriter:
    """Appends to one upload."""

    def __init__(self, container: Container, upload: Upload, offset: int) -> None:
        self._container = container
        self._opened = upload
        self._upload = replace(upload, pieces=upload.cut(offset, container.part_bytes))
        self._stored = self._upload.size
        self._unread = (self._stored, offset)
        self._is_changed = offset != upload.size
        self._added: list[Piece] = []
        self._buffer: list[memoryview] = []
        self._filled = 0
        self._under_way: list[asyncio.Task[None]] = []

    async def write(self, chunk: bytes) -> None:
        """Append; pieces that are full go on their way."""
        if chunk:
            await self._take_up_rest()
            self._is_changed = True
            await self._fill(chunk)

    async def finish(self, blob: Digest | None = None) -> UploadState:
        """Make durable all that was written."""
        if not self._is_changed:
            return self._opened.state
        await self._take_up_rest()
        if blob is not None and not self._stored:
            content = self._gathered()
            await self._container.put(blob_key(blob), content, is_blob=True)
            self._upload = blob_upload(blob, len(content))
            return self._upload.state
        if self._filled:
            await self._send()
        await asyncio.gather(*self._under_way)
        return replace(self._upload, pieces=(*self._upload.pieces, *self._added)).state

    async def drop(self) -> None:
        """Remove what this writer added and no session names."""
        self.close()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        with suppress(StorageError):
            if not self._opened.name and self._upload.name:
                await self._container.remove_upload(self._upload.name)
            elif self._added:
                await self._container.remove_pieces(self._upload.name, self._added)

    def close(self) -> None:
        """Give up the pieces that are still on their way."""
        for task in self._under_way:
            task.cancel()
            task.add_done_callback(_forget)

    async def _take_up_rest(self) -> None:
        """Begin with what lies behind the last piece that stays."""
        (start, stop), self._unread = self._unread, (0, 0)
        if start < stop:
            async for content in self._container.read_pieces(self._opened, start, stop):
                await self._fill(content)

    async def _fill(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            size = part_size(self._stored, self._container.part_bytes)
            room = size - self._filled
            self._buffer.append(rest[:room])
            self._filled += len(rest[:room])
            rest = rest[room:]
            if self._filled == size:
                await self._send()

    async def _send(self) -> None:
        """Send what has gathered as the next piece."""
        if not self._upload.name:
            self._upload = replace(self._upload, name=new_name())
        while len(self._under_way) >= _PIECES_UNDER_WAY:
            await self._under_way[0]
            self._under_way.pop(0)
        content = self._gathered()
        piece = new_piece(len(content))
        self._added.append(piece)
        self._stored += piece.size
        putting = self._container.put_piece(self._upload.name, piece, content)
        self._under_way.append(asyncio.create_task(putting))

    def _gathered(self) -> bytes:
        content = b"".join(self._buffer)
        self._buffer.clear()
        self._filled = 0
        return content


def _forget(task: asyncio.Task[None]) -> None:
    """Look at what became of it, for somebody has to."""
    if not task.cancelled():
        task.exception()
