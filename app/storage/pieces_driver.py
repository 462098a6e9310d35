"""Blobs as objects, uploads as pieces: a driver for what puts pieces together.

An object is there whole or not at all, and durable once the storage has answered.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from app.oci.digest import ALGORITHMS, Digest
from app.oci.errors import DigestInvalid
from app.storage.driver import StorageBusy, StorageError, UploadState
from app.storage.paths import blob_key, digest_of
from app.storage.pieces import Container, Upload, upload_of
from app.storage.pieces_direct import PieceDirectUploads, end, owner_of
from app.storage.pieces_upload import PieceWriter
from app.storage.resumed import resumed

_CHECK_KEY: Final = "check"
_AT_ONCE: Final = 32


class PieceDriver:
    """Implements `app.storage.StorageDriver` on a container."""

    keeps_versions = False

    def __init__(self, container: Container) -> None:
        self._container = container
        self._direct = PieceDirectUploads(container) if container.can_sign else None

    async def check(self) -> None:
        """Raise StorageError unless the object that was put is found, or can be put again."""
        if await self._container.size(_CHECK_KEY) is None:
            await self.check_writing()

    async def check_writing(self) -> None:
        """Raise StorageError unless an object can be put."""
        try:
            await self._container.put(_CHECK_KEY, b"", is_blob=False)
        except FileNotFoundError as error:
            raise StorageError(f"there is nothing to put it into: {error}") from error

    async def room(self) -> None:
        """Return None: a container has no end."""

    async def stat(self, digest: Digest) -> int | None:
        """Return the size in bytes, or None."""
        return await self._container.size(blob_key(digest))

    def read(self, digest: Digest, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Yield the bytes `start <= i < stop`."""
        return resumed(partial(self._container.read, blob_key(digest)), start, stop)

    def pour(self, digest: Digest, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Yield the bytes `start <= i < stop`."""
        return self.read(digest, start, stop)

    def local_path(self, digest: Digest) -> Path | None:  # noqa: ARG002 - there are no files
        """Return None: nothing of it is on this machine."""
        return None

    async def lasting(self, lifetime: timedelta) -> timedelta:
        """Return all of it."""
        return lifetime

    async def presign(
        self, digest: Digest, lifetime: timedelta, *, content_type: str = "", disposition: str = ""
    ) -> str | None:
        """Sign a URL, where there is something to sign with."""
        key = blob_key(digest)
        return await self._container.sign(key, lifetime, content_type=content_type, disposition=disposition)

    async def put(self, digest: Digest, content: bytes) -> None:
        """Store a whole small blob."""
        await self._container.put(blob_key(digest), content, is_blob=True)

    async def delete(self, *digests: Digest) -> None:
        """Remove blobs, several at a time; fine when there are none."""
        keys = [*map(blob_key, digests)]
        for start in range(0, len(keys), _AT_ONCE):
            removing = map(self._container.remove, keys[start : start + _AT_ONCE])
            ends = await asyncio.gather(*removing, return_exceptions=True)
            failed = [end for end in ends if isinstance(end, BaseException)]
            if failed:
                raise next((error for error in failed if isinstance(error, StorageBusy)), failed[0])

    async def list_digests(self, beginning: str = "") -> AsyncIterator[Digest]:
        """Yield every blob's digest, or only of those that begin so."""
        for algorithm in ALGORITHMS:
            async for key in self._container.list_keys(f"blobs/{algorithm}/{beginning}"):
                with suppress(DigestInvalid):
                    yield digest_of(key)

    def new_upload(self) -> UploadState:
        """Nothing is made before there is a byte."""
        return {}

    @property
    def direct(self) -> PieceDirectUploads | None:
        """Return what signs URLs for uploads, where there is something to sign with."""
        return self._direct

    async def append(
        self,
        state: UploadState,
        offset: int,
        *,
        is_contested: bool,
        blob: Digest | None = None,  # noqa: ARG002 - `finish` is told, too
    ) -> tuple[UploadState, PieceWriter]:
        """Open the upload; where another may still write to it, under a name that he does not know."""
        upload = await self._found(state, offset) if offset else Upload()
        if upload.name and is_contested:
            upload = await self._container.fork(upload)
        return upload.state, PieceWriter(self._container, upload, offset)

    async def read_upload(self, state: UploadState, length: int) -> AsyncGenerator[bytes]:
        """Yield the first `length` bytes of an upload."""
        upload = await self._found(state, length)
        async with aclosing(self._container.read_pieces(upload, 0, length)) as pieces:
            async for piece in pieces:
                yield piece

    async def commit(self, state: UploadState, digest: Digest, size: int) -> None:
        """Have the storage put the pieces together in the blob's place."""
        upload = upload_of(state)
        if upload.size != size or upload.blob not in {"", digest}:
            raise StorageError(f"the upload has not the {size} bytes of {digest} that were written to it")
        if size == 0:
            await self.put(digest, b"")
        elif not upload.blob:
            await self._container.join(upload, blob_key(digest))
        with suppress(StorageError):
            # The blob is there; what cannot be removed now is found by `list_uploads`.
            await self.discard(state)

    async def list_uploads(self, idle: timedelta) -> list[UploadState]:
        """Return the uploads without a new piece for as long."""
        before, newest, signed = datetime.now(UTC) - idle, dict[str, datetime](), set[str]()
        async for found, touched in self._container.list_uploads():
            name, is_signed = owner_of(found)
            newest[name] = max(touched, newest.get(name, touched))
            if is_signed:
                signed.add(name)
        return [
            Upload(name=name, signed=name in signed).state
            for name, touched in newest.items()
            if touched < before
        ]

    async def discard(self, state: UploadState) -> None:
        """Remove an upload's pieces; fine when there are none."""
        upload = upload_of(state)
        if upload.signed:
            await end(self._container, upload.name)
        if upload.name:
            await self._container.remove_upload(upload.name)

    async def _found(self, state: UploadState, length: int) -> Upload:
        """Return an upload that has at least as many bytes; raise FileNotFoundError."""
        upload = upload_of(state)
        if upload.blob or length > upload.size:
            raise FileNotFoundError(f"the upload has {upload.size} bytes, not {length}")
        there = await self._container.sizes(upload.name) if upload.name else {}
        if not set(upload.pieces) <= there.items():
            raise FileNotFoundError("the upload's bytes are gone")
        return upload
