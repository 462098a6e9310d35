"""Uploads that clients send to S3 themselves: parts of a multipart upload, one or many.

Also what is sent by a single PUT is a part, because no URL can change a multipart upload that was put
together, while a URL for an object could be used again after its bytes have been looked at.
"""

import asyncio
import base64
import hashlib
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final, NamedTuple
from uuid import uuid4

from msgspec.structs import replace

from app.oci.digest import Digest
from app.oci.errors import BlobUploadInvalid
from app.storage.checksums import checksum_of
from app.storage.direct import require_whole
from app.storage.driver import DirectPart, Frozen, SignedPut, StorageBusy, StorageError, UploadState
from app.storage.s3_client import Bucket
from app.storage.s3_copy import Multipart, abort, begin, complete
from app.storage.s3_errors import storage_errors
from app.storage.s3_state import Part, Upload, parts_key, upload_of

_LEAST_PART_BYTES: Final = 5 << 20
_MOST_PART_BYTES: Final = 5 << 30


class Listed(NamedTuple):
    """A part as the storage lists it: with its entity tag, and the second when it came."""

    direct: DirectPart
    tag: str
    came_at: datetime


class S3DirectUploads:
    """Implements `app.storage.DirectUploads` on a bucket."""

    least_part_bytes = _LEAST_PART_BYTES
    most_part_bytes = _MOST_PART_BYTES

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._is_checking: bool | None = None
        self._asking = asyncio.Lock()

    async def begin(self, digest: Digest | None) -> UploadState:
        """Begin a multipart upload, in a place of its own."""
        sha256 = checksum_of(digest) if digest and await self._checks() else ""
        name = uuid4().hex
        begun = await begin(self._bucket, parts_key(name), is_blob=False, checksum="SHA256" if sha256 else "")
        return Upload(parts=name, upload=begun.upload, sha256=sha256).state

    async def sign(
        self, state: UploadState, part: int, lifetime: timedelta, *, size: int | None = None
    ) -> SignedPut:
        """Sign a URL for a part; what it is to be is in headers that the signature covers."""
        upload = upload_of(state)
        if upload.sha256 and part > 1:
            raise BlobUploadInvalid("this upload was begun as one PUT of a digest; start another for parts")
        chosen: dict[str, str | int] = {"UploadId": upload.upload, "PartNumber": part}
        headers = {}
        if upload.sha256:
            chosen["ChecksumSHA256"] = headers["x-amz-checksum-sha256"] = upload.sha256
        if size is not None:
            chosen["ContentLength"] = size
            headers["Content-Length"] = str(size)
        url = await self._bucket.sign(upload.key, lifetime, call="upload_part", **chosen)
        return SignedPut(url, headers)

    async def list_parts(self, state: UploadState) -> list[DirectPart]:
        """Ask the storage for the parts of the multipart upload."""
        return [part.direct for part in latest_of(await self._listed(upload_of(state)))]

    async def freeze(self, state: UploadState) -> Frozen:
        """Put the parts together: an upload that has ended takes no more of them."""
        upload = upload_of(state)
        try:
            size = await self._put_together(upload)
        except FileNotFoundError:
            # It may have been done before, and only we do it.
            known = await self._bucket.size(upload.key)
            if known is None:
                raise
            size = known
        digest = await self._proven(upload)
        return Frozen(replace(upload, upload="", stored=size).state, size, digest)

    async def _put_together(self, upload: Upload) -> int:
        listed = await self._listed(upload)
        parts = latest_of(listed)
        require_whole([part.direct for part in parts], _LEAST_PART_BYTES)
        require_latest(listed)
        multipart = Multipart(upload.key, upload.upload)
        await complete(self._bucket, multipart, [Part(part.tag) for part in parts], sha256=upload.sha256)
        return sum(part.direct.size_bytes for part in parts)

    async def _listed(self, upload: Upload) -> list[Listed]:
        """Return the parts; of one that was sent again, some storages list all that came."""
        pages = self._bucket.s3.get_paginator("list_parts").paginate(
            **self._bucket.at(upload.key), UploadId=upload.upload
        )
        with storage_errors():
            return [
                Listed(DirectPart(part["PartNumber"], part["Size"]), part["ETag"], part["LastModified"])
                async for page in pages
                for part in page.get("Parts", [])
            ]

    async def _proven(self, upload: Upload) -> Digest | None:
        """Return the digest where the storage says that it computed it, and has shown that it does."""
        if not upload.sha256 or not await self._checks():
            return None
        with storage_errors():
            found = await self._bucket.s3.head_object(**self._bucket.at(upload.key), ChecksumMode="ENABLED")
        raw = base64.b64decode(upload.sha256)
        # Of parts that were put together, S3 has the hash of their hashes, and behind it how many there are.
        expected = base64.b64encode(hashlib.sha256(raw).digest()).decode()
        is_proven = found.get("ChecksumSHA256", "") == f"{expected}-1"
        return Digest(f"sha256:{raw.hex()}") if is_proven else None

    async def _checks(self) -> bool:
        """Whether the storage refuses a part with a wrong SHA-256; some keep what they are told unread."""
        async with self._asking:
            if self._is_checking is None:
                self._is_checking = await self._refuses_wrong_parts()
        return bool(self._is_checking)

    async def _refuses_wrong_parts(self) -> bool | None:
        """Whether it takes right parts only; None: it took none, for whatever reason, and is asked again."""
        probe = await begin(self._bucket, parts_key(uuid4().hex), is_blob=False, checksum="SHA256")
        try:
            # The right one comes last: who could not have asked at all has shown nothing by a refusal.
            wrong, right = [
                await self._takes(probe, checksum) for checksum in (bytes(32), hashlib.sha256().digest())
            ]
        finally:
            await abort(self._bucket, probe)
        return not wrong if right else None

    async def _takes(self, probe: Multipart, checksum: bytes) -> bool:
        """Whether it takes an empty part as one with this hash."""
        try:
            with storage_errors():
                await self._bucket.s3.upload_part(
                    **self._bucket.at(probe.key),
                    UploadId=probe.upload,
                    PartNumber=1,
                    Body=b"",
                    ChecksumSHA256=base64.b64encode(checksum).decode(),
                )
        except StorageBusy:
            raise
        except StorageError:
            return False
        return True


def latest_of(listed: list[Listed]) -> list[Listed]:
    """Return the part of each number that came last."""
    latest = {part.direct.number: part for part in sorted(listed, key=attrgetter("came_at"))}
    return [latest[number] for number in sorted(latest)]


def require_latest(listed: list[Listed]) -> None:
    """Raise BlobUploadInvalid where nobody can tell which of several came last, as within one second."""
    latest = {part.direct.number: part for part in latest_of(listed)}
    for part in listed:
        last = latest[part.direct.number]
        if part.came_at == last.came_at and part.tag != last.tag:
            raise BlobUploadInvalid(
                f"part {part.direct.number} came twice within a second, and not the same; send it once more"
            )
