"""Blobs as objects of one bucket on S3, or on what speaks as it does.

An object is there whole or not at all, and durable once the storage has answered.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from app.oci.digest import ALGORITHMS, Digest
from app.oci.errors import DigestInvalid
from app.settings import StorageSettings
from app.storage.driver import Inflow, StorageError, UploadState
from app.storage.paths import blob_key, digest_of
from app.storage.s3_client import Bucket, open_bucket
from app.storage.s3_copy import Multipart, Source, abort, begin, copy_upload, is_open, place, seal
from app.storage.s3_list import list_keys, list_multiparts
from app.storage.s3_presign import S3DirectUploads
from app.storage.s3_read import pour, stream
from app.storage.s3_state import Upload, tail_key, upload_at, upload_of
from app.storage.s3_upload import S3Writer

_CHECK_KEY: Final = "check"


class S3Driver:
    """Implements `app.storage.StorageDriver` on a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._direct = S3DirectUploads(bucket)

    async def check(self) -> None:
        """Raise StorageError unless the object that was put is found, or can be put again."""
        # A bucket that is gone looks like an object that is gone, so only putting tells.
        if await self._bucket.size(_CHECK_KEY) is None:
            await self.check_writing()

    async def check_writing(self) -> None:
        """Raise StorageError unless an object can be put; where each would stay for good, one is begun."""
        if self._bucket.keeps_versions:
            await abort(self._bucket, await begin(self._bucket, _CHECK_KEY, is_blob=False))
        else:
            await self._bucket.put(_CHECK_KEY, b"", is_blob=False)

    async def room(self) -> None:
        """Return None: a bucket has no end."""

    @property
    def keeps_versions(self) -> bool:
        """Whether the last object that was put is a version of many."""
        return self._bucket.keeps_versions

    async def stat(self, digest: Digest) -> int | None:
        """Return the size in bytes, or None."""
        return await self._bucket.size(blob_key(digest))

    def read(self, digest: Digest, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Yield the bytes `start <= i < stop`."""
        return stream(self._bucket, blob_key(digest), start, stop=stop)

    def pour(self, digest: Digest, start: int, stop: int) -> AsyncGenerator[bytes | Inflow]:
        """Yield the same, most of it on its socket unless it comes encrypted."""
        return pour(self._bucket, blob_key(digest), start, stop=stop)

    def local_path(self, digest: Digest) -> Path | None:  # noqa: ARG002 - there are no files
        """Return None: nothing of it is on this machine."""
        return None

    async def lasting(self, lifetime: timedelta) -> timedelta:
        """Return how much of it is left to the credentials."""
        return await self._bucket.lasting(lifetime)

    async def presign(
        self, digest: Digest, lifetime: timedelta, *, content_type: str = "", disposition: str = ""
    ) -> str:
        """Sign a URL (Signature Version 4); 7 days are the longest that S3 takes."""
        chosen = {"ResponseContentType": content_type, "ResponseContentDisposition": disposition}
        return await self._bucket.sign(blob_key(digest), lifetime, **{k: v for k, v in chosen.items() if v})

    @property
    def direct(self) -> S3DirectUploads:
        """What signs URLs for uploads."""
        return self._direct

    async def put(self, digest: Digest, content: bytes) -> None:
        """Store a whole small blob."""
        await self._bucket.put_blob(digest, content)

    async def delete(self, *digests: Digest) -> None:
        """Remove blobs; fine when there are none."""
        await self._bucket.remove(*map(blob_key, digests))

    async def list_digests(self, beginning: str = "") -> AsyncIterator[Digest]:
        """Yield every blob's digest, or only of those that begin so."""
        for algorithm in ALGORITHMS:
            async for key, _ in list_keys(self._bucket, f"blobs/{algorithm}/{beginning}"):
                with suppress(DigestInvalid):
                    yield digest_of(key)

    def new_upload(self) -> UploadState:
        """Nothing is made before there is a byte."""
        return {}

    async def append(
        self, state: UploadState, offset: int, *, is_contested: bool, blob: Digest | None = None
    ) -> tuple[UploadState, S3Writer]:
        """Open the upload; where another may still write to it, its bytes are copied where he cannot."""
        upload = upload_of(state)
        if offset > upload.size:
            raise FileNotFoundError(f"the upload has {upload.size} bytes, not {offset}")
        if offset == 0:
            upload = Upload()
        elif is_contested or offset < upload.stored or not await is_open(self._bucket, upload):
            upload = await copy_upload(self._bucket, upload, offset)
        elif upload.before:
            await self._bucket.remove(tail_key(upload.before))
        return upload.state, S3Writer(self._bucket, upload, offset, blob=blob)

    async def read_upload(self, state: UploadState, length: int) -> AsyncGenerator[bytes]:
        """Yield the first `length` bytes of an upload; parts can only be read once they are put together."""
        for source in await _sources(self._bucket, upload_of(state)):
            size = min(length, source.size)
            length -= size
            async with aclosing(stream(self._bucket, source.key, 0, stop=size)) as pieces:
                async for piece in pieces:
                    yield piece
        if length:
            raise FileNotFoundError(f"the last {length} bytes of the upload are not there")

    async def commit(self, state: UploadState, digest: Digest, size: int) -> None:
        """Put the upload together in its place."""
        upload = upload_of(state)
        if upload.size != size or upload.blob not in {"", digest}:
            raise StorageError(f"the upload has not the {size} bytes of {digest} that were written to it")
        if size == 0:
            await self.put(digest, b"")
        elif not upload.blob:
            await place(self._bucket, digest, await _sources(self._bucket, upload))
        elif upload.upload:
            await seal(self._bucket, upload)
        with suppress(StorageError):
            # The blob is there; what cannot be removed now is found by `list_uploads`.
            await self._bucket.remove(*upload.own_keys)

    async def discard(self, state: UploadState) -> None:
        """Remove an upload's parts and objects; fine when there are none."""
        upload = upload_of(state)
        if upload.upload:
            await abort(self._bucket, Multipart(upload.key, upload.upload))
        await self._bucket.remove(*upload.own_keys)

    async def list_uploads(self, idle: timedelta) -> list[UploadState]:
        """Return parts and tails that nothing was written to for as long."""
        before = datetime.now(UTC) - idle
        found = [upload_at(key, of) async for key, of in list_multiparts(self._bucket, before)]
        async for key, modified in list_keys(self._bucket, "uploads/"):
            if modified < before:
                found.append(upload_at(key))
        return [upload.state for upload in found if upload is not None]


@asynccontextmanager
async def open_driver(settings: StorageSettings, copy_bytes: int = 256 << 20) -> AsyncIterator[S3Driver]:
    """Lend the driver of a bucket; raise StorageError unless there is one.

    `copy_bytes`: what is larger is copied in several ranges at once.
    """
    async with open_bucket(settings, copy_bytes) as bucket:
        yield S3Driver(bucket)


async def _sources(bucket: Bucket, upload: Upload) -> list[Source]:
    parts = [await seal(bucket, upload)] if upload.stored else []
    return [*parts, Source(tail_key(upload.tail), upload.tail_bytes)] if upload.tail else parts
