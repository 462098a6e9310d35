"""Writing an upload to a file."""

import asyncio
import errno
import os
from pathlib import Path

from app.oci.digest import Digest
from app.storage.driver import StorageFull, UploadState
from app.storage.durable import fsync, fsync_directory, storage_errors, write_all


class FilesystemWriter:
    """Appends to the file of one upload."""

    def __init__(self, path: Path, offset: int) -> None:
        self._path = path
        self._start = offset
        self._offset = offset
        # A file that should be there is not made again: zeros would stand for bytes that were lost.
        creation = os.O_CREAT if offset == 0 else 0
        self._file = os.open(path, os.O_WRONLY | os.O_CLOEXEC | creation, 0o640)
        self._writing: asyncio.Future[None] | None = None
        try:
            if os.fstat(self._file).st_size < offset:
                raise FileNotFoundError(errno.ENOENT, "the upload's bytes are gone", str(path))
            os.ftruncate(self._file, offset)
        except BaseException:
            os.close(self._file)
            raise

    async def write(self, chunk: bytes) -> None:
        """Append at the current offset; what has begun goes on also when nobody waits for it any more."""
        self._writing = asyncio.get_running_loop().run_in_executor(None, self._write, chunk)
        await asyncio.shield(self._writing)

    async def finish(self, blob: Digest | None = None) -> UploadState:  # noqa: ARG002 - `commit` is told, too
        """Make durable all that was written, and the file's name."""
        await asyncio.to_thread(self._finish)
        return {"file": self._path.name}

    async def drop(self) -> None:
        """Leave the file to the next writer, who cuts it to its offset: nothing may come after that."""
        if self._writing is not None:
            await asyncio.wait([self._writing])

    def close(self) -> None:
        """Close the file, once nothing writes to it: by then its number may be another file's."""
        if self._writing is None or self._writing.done():
            os.close(self._file)
        else:
            self._writing.add_done_callback(lambda _: os.close(self._file))

    def _finish(self) -> None:
        with storage_errors():
            fsync(self._file)
            fsync_directory(self._path.parent)

    def _write(self, chunk: bytes) -> None:
        try:
            with storage_errors():
                write_all(self._file, chunk, self._offset)
            self._offset += len(chunk)
        except StorageFull:
            # Give the room back at once: what the session has stays.
            os.ftruncate(self._file, self._start)
            raise
