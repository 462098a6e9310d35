"""Writing an upload to S3."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from app.oci.digest import Digest
from app.storage.body import Body
from app.storage.checksums import crc32_of, md5_of
from app.storage.driver import UploadState
from app.storage.parts import Filling
from app.storage.patience import tidying
from app.storage.s3_client import Bucket
from app.storage.s3_copy import Multipart, abort, begin
from app.storage.s3_errors import storage_errors
from app.storage.s3_read import read_first
from app.storage.s3_state import Part, Upload, named, tail_key


class S3Writer:
    """Appends to one upload."""

    def __init__(self, bucket: Bucket, upload: Upload, offset: int, *, blob: Digest | None) -> None:
        self._bucket = bucket
        self._opened = upload
        self._upload = upload
        self._blob = blob
        self._filling = Filling(self._send, upload.stored, bucket.part_bytes)
        self._parts = self._filling.sent
        self._parts += upload.sent
        self._number = len(self._parts)
        # Where parts were copied, the storage was not told when it began that they all come with one.
        self._has_crc32 = not self._parts or bool(self._parts[0].crc32)
        self._unread = offset - upload.stored
        self._is_changed = offset != upload.size

    async def write(self, chunk: bytes) -> None:
        """Append; parts that are full go on their way."""
        if chunk:
            await self._take_up_tail()
            self._is_changed = True
            await self._filling.fill(chunk)

    async def finish(self, blob: Digest | None = None) -> UploadState:
        """Make durable all that was written; what does not fill a part becomes the tail."""
        if self._is_changed:
            await self._take_up_tail()
        if blob is not None:
            await self._finish_blob(blob)
        elif self._is_changed:
            await self._keep_tail()
        return self._upload.state

    async def drop(self) -> None:
        """Remove what this writer made and no session names."""
        await self._filling.closed()
        async with tidying():
            if self._upload.upload != self._opened.upload:
                await abort(self._bucket, Multipart(self._upload.key, self._upload.upload))
            if self._upload.tail not in {"", self._opened.tail}:
                await self._bucket.remove(tail_key(self._upload.tail))

    def close(self) -> None:
        """Give up the parts that are still on their way."""
        self._filling.close()

    async def _take_up_tail(self) -> None:
        """Begin with what an earlier writer left behind the last part."""
        if self._unread:
            length, self._unread = self._unread, 0
            await self._filling.fill(await read_first(self._bucket, tail_key(self._upload.tail), length))

    async def _send(self, content: bytes) -> Coroutine[Any, Any, Part]:
        """Send what has gathered as the next part."""
        if not self._upload.upload:
            await self._begin()
        self._number += 1
        return self._put_part(self._number, content)

    async def _begin(self) -> None:
        """Begin the multipart upload, in the blob's own place where its digest is known."""
        whole = Upload(blob=self._blob) if self._blob else Upload(parts=uuid4().hex)
        multipart = await begin(self._bucket, whole.key, is_blob=self._blob is not None, checksum="CRC32")
        self._upload = replace(self._upload, parts=whole.parts, blob=whole.blob, upload=multipart.upload)

    async def _put_part(self, number: int, content: bytes) -> Part:
        crc32 = await asyncio.to_thread(crc32_of, content) if self._has_crc32 else ""
        proof: dict[str, Any] = (
            {"ChecksumCRC32": crc32} if crc32 else {"ContentMD5": await asyncio.to_thread(md5_of, content)}
        )
        with storage_errors():
            done = await self._bucket.s3.upload_part(
                **self._bucket.at(self._upload.key),
                UploadId=self._upload.upload,
                PartNumber=number,
                Body=Body(content),
                **proof,
            )
        return Part(done["ETag"], crc32)

    async def _finish_blob(self, blob: Digest) -> None:
        """Put the last bytes where nothing of them has to be moved again, as far as that is known."""
        if self._upload.upload:
            await self._take_up_tail()
            await self._filling.end()
            self._note(tail="", content=b"")
        elif self._is_changed:
            content = self._filling.take()
            await self._bucket.put_blob(blob, content)
            self._upload = Upload(blob=blob, stored=len(content), before=self._opened.tail)

    async def _keep_tail(self) -> None:
        """Make what does not fill a part an object, for the next writer to begin with."""
        await self._filling.arrive()
        content = self._filling.take()
        name = uuid4().hex if content else ""
        if name:
            await self._bucket.put(tail_key(name), content, is_blob=False)
        self._note(tail=name, content=content)

    def _note(self, *, tail: str, content: bytes) -> None:
        """Say where everything lies now; the tail that the session names may still be needed."""
        self._upload = replace(
            self._upload,
            etags=named(self._parts),
            stored=self._filling.stored,
            tail=tail,
            tail_bytes=len(content),
            before=self._opened.tail,
        )
