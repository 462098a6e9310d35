"""Blobs as files under one root, on a local or a shared POSIX file system.

Durable means: the file is fsynced, then renamed to its place, then the directories on its path are
fsynced; only then does a row in the database say that it exists.
"""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

from app.oci.digest import ALGORITHMS, Digest
from app.oci.errors import DigestInvalid
from app.storage.driver import Room, StorageError, UploadState
from app.storage.durable import fsync, fsync_directory, storage_errors, write_all
from app.storage.filesystem_direct import FileDirectUploads, owner_of, remove_parts
from app.storage.filesystem_upload import FilesystemWriter
from app.storage.opening import opened
from app.storage.paths import blob_key, upload_key

_READ_BYTES: Final = 1 << 20


class FilesystemDriver:
    """Implements `app.storage.StorageDriver` on a directory."""

    keeps_versions = False

    def __init__(self, root: Path, keys: Sequence[bytes] = ()) -> None:
        """`keys`: what URLs for uploads are signed with, and behind it what earlier ones were."""
        self._root = root
        self.direct = FileDirectUploads(self, root, keys) if keys else None
        self._durable: set[str] = set()
        with storage_errors(is_missing_fine=False):
            root.mkdir(mode=0o750, parents=True, exist_ok=True)
            for directory in ("uploads", *(f"blobs/{algorithm}" for algorithm in ALGORITHMS)):
                self._make_durable([directory])
            # Each blob would have to wait for one of these, until all are there.
            self._make_durable([f"blobs/sha256/{byte:02x}" for byte in range(256)])

    async def check(self) -> None:
        """Raise StorageError unless the directory is there."""
        with storage_errors(is_missing_fine=False):
            await asyncio.to_thread(os.stat, self._root / "uploads")

    async def check_writing(self) -> None:
        """Raise StorageError unless a file can be created."""
        path = self._root / upload_key(f"check-{uuid4().hex}")
        with storage_errors(is_missing_fine=False):
            await asyncio.to_thread(_touch_and_remove, path)

    async def room(self) -> Room:
        """Return how much room the file system has."""
        with storage_errors(is_missing_fine=False):
            usage = await asyncio.to_thread(shutil.disk_usage, self._root)
        return Room(usage.total, usage.free)

    async def stat(self, digest: Digest) -> int | None:
        """Return the size in bytes, or None."""
        try:
            with storage_errors():
                return (await asyncio.to_thread(os.stat, self.local_path(digest))).st_size
        except FileNotFoundError:
            return None

    def read(self, digest: Digest, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Yield the bytes `start <= i < stop`."""
        return _read(self.local_path(digest), start, stop)

    def pour(self, digest: Digest, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Yield the bytes `start <= i < stop`."""
        return self.read(digest, start, stop)

    def local_path(self, digest: Digest) -> Path:
        """Return the blob's file, whether it exists or not."""
        return self._root / blob_key(digest)

    async def lasting(self, lifetime: timedelta) -> timedelta:
        """Return all of it."""
        return lifetime

    async def presign(self, *_: object, **__: object) -> None:
        """Return None: only we can send a file."""

    async def put(self, digest: Digest, content: bytes) -> None:
        """Store a whole small blob durably."""
        await asyncio.to_thread(self._put, digest, content)

    async def delete(self, *digests: Digest) -> None:
        """Remove blobs; fine when there are none."""
        with storage_errors():
            await asyncio.to_thread(_unlink, [self.local_path(digest) for digest in digests])

    async def list_digests(self, beginning: str = "") -> AsyncIterator[Digest]:
        """Yield every blob's digest, or only of those that begin so."""
        for algorithm in ALGORITHMS:
            top = self._root / "blobs" / algorithm
            for first in [beginning] if beginning else await asyncio.to_thread(os.listdir, top):
                for digest in await asyncio.to_thread(_digests_below, top / first, algorithm):
                    yield digest

    async def list_uploads(self, idle: timedelta) -> list[UploadState]:
        """Return the uploads that nothing was written to for as long."""
        return await asyncio.to_thread(self._list_uploads, time.time() - idle.total_seconds())

    def new_upload(self) -> UploadState:
        """Name a file; it is created by the first byte."""
        return {"file": uuid4().hex}

    async def append(
        self,
        state: UploadState,
        offset: int,
        *,
        is_contested: bool,
        blob: Digest | None = None,  # noqa: ARG002 - a file is renamed to its place in any case
    ) -> tuple[UploadState, FilesystemWriter]:
        """Open the upload's file; a contested one is copied, and the other writer keeps the old file."""
        if not is_contested:
            return state, await self._opened(state, offset)
        copy = self.new_upload()
        try:
            with storage_errors():
                await asyncio.to_thread(_copy, self._upload(state), self._upload(copy))
            return copy, await self._opened(copy, offset)
        except BaseException:
            with suppress(StorageError):
                # What cannot be removed now is found by `list_uploads`.
                await self.discard(copy)
            raise

    def read_upload(self, state: UploadState, length: int) -> AsyncGenerator[bytes]:
        """Yield the first `length` bytes of an upload."""
        return _read(self._upload(state), 0, length)

    async def commit(self, state: UploadState, digest: Digest, size: int) -> None:
        """Rename the finished file to its place, durably."""
        await asyncio.to_thread(self._commit, self._upload(state), digest, size)

    async def discard(self, state: UploadState) -> None:
        """Remove an upload's file; fine when there is none."""
        with storage_errors():
            if "direct" in state:
                await asyncio.to_thread(remove_parts, self._root, state)
            await asyncio.to_thread(self._upload(state).unlink, missing_ok=True)

    def _list_uploads(self, before: float) -> list[UploadState]:
        with storage_errors(), os.scandir(self._root / "uploads") as entries:
            idle = [entry.name for entry in entries if _is_idle(entry, before)]
        return [*{owner["file"]: owner for owner in map(owner_of, sorted(idle))}.values()]

    async def _opened(self, state: UploadState, offset: int) -> FilesystemWriter:
        with storage_errors():
            return await opened(
                partial(FilesystemWriter, self._upload(state), offset), FilesystemWriter.close
            )

    def _upload(self, state: UploadState) -> Path:
        return self._root / upload_key(state["file"])

    def _put(self, digest: Digest, content: bytes) -> None:
        # Each call into the system gives up the interpreter: few calls are fast calls.
        path = self._upload(self.new_upload())
        try:
            with storage_errors():
                file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
                try:
                    write_all(file, content, 0)
                    fsync(file)
                finally:
                    os.close(file)
                self._place(path, digest)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _commit(self, path: Path, digest: Digest, size: int) -> None:
        with storage_errors():
            if path.stat().st_size != size:
                raise StorageError(f"{path.name} has not the {size} bytes that were written to it")
            self._place(path, digest)

    def _place(self, path: Path, digest: Digest) -> None:
        """Give durable content its name, durably."""
        directory, _, name = blob_key(digest).rpartition("/")
        self._make_durable([directory])
        target = f"{self._root}/{directory}"
        path.rename(f"{target}/{name}")
        fsync_directory(target)

    def _make_durable(self, directories: list[str]) -> None:
        """Create siblings below the root so that a power loss does not take them back.

        Also those that are there: whoever created them may not have got as far as the fsync.
        """
        missing = [directory for directory in directories if directory not in self._durable]
        if not missing:
            return
        parent = missing[0].rpartition("/")[0]
        if parent:
            self._make_durable([parent])
        for directory in missing:
            with suppress(FileExistsError):
                (self._root / directory).mkdir(0o750)
        fsync_directory(f"{self._root}/{parent}")
        self._durable.update(missing)


def _is_idle(entry: os.DirEntry[str], before: float) -> bool:
    """Whether nothing was written to a file since then; one that has become a blob just now is not there."""
    with suppress(FileNotFoundError):
        return entry.stat().st_mtime < before
    return False


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _digests_below(directory: Path, algorithm: str) -> list[Digest]:
    found = []
    for path in directory.glob("*/*"):
        # Some file systems leave files of their own behind.
        with suppress(DigestInvalid):
            found.append(Digest.parse(f"{algorithm}:{path.name}"))
    return found


async def _read(path: Path, start: int, stop: int) -> AsyncGenerator[bytes]:
    with storage_errors():
        file = await opened(partial(os.open, path, os.O_RDONLY | os.O_CLOEXEC), os.close)
    try:
        while start < stop:
            with storage_errors():
                piece = await asyncio.to_thread(os.pread, file, min(_READ_BYTES, stop - start), start)
            if not piece:
                raise StorageError(f"{path.name} ends at {start} of {stop} bytes")
            yield piece
            start += len(piece)
    finally:
        os.close(file)


def _copy(source: Path, target: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.copyfile(source, target)


def _touch_and_remove(path: Path) -> None:
    path.touch(exist_ok=False)
    path.unlink()
