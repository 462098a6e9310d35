"""Putting objects together on the storage's side: no byte of them comes here."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from uuid import uuid4

from msgspec.structs import replace

from app.oci.digest import Digest
from app.storage.parts import part_size
from app.storage.paths import blob_key
from app.storage.patience import tidying
from app.storage.s3_client import Bucket
from app.storage.s3_errors import storage_errors
from app.storage.s3_read import read_first
from app.storage.s3_state import Part, Upload, named, tail_key

if TYPE_CHECKING:
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef

_COPIES_AT_ONCE: Final = 8


class Source(NamedTuple):
    """The first bytes of an object."""

    key: str
    size: int
    is_whole: bool = True


class Multipart(NamedTuple):
    """A multipart upload that is under way."""

    key: str
    upload: str


async def begin(
    bucket: Bucket, key: str, *, is_blob: bool, checksum: Literal["", "CRC32", "SHA256"] = ""
) -> Multipart:
    """Begin a multipart upload; `checksum`: what each part is going to come with."""
    chosen: dict[str, Any] = {"ChecksumAlgorithm": checksum} if checksum else {}
    with storage_errors():
        begun = await bucket.s3.create_multipart_upload(
            **bucket.at(key), **bucket.kept(is_blob=is_blob), **chosen
        )
    return Multipart(key, begun["UploadId"])


async def abort(bucket: Bucket, multipart: Multipart) -> None:
    """Drop a multipart upload; fine where there is none."""
    with suppress(FileNotFoundError), storage_errors():
        await bucket.s3.abort_multipart_upload(**bucket.at(multipart.key), UploadId=multipart.upload)


async def complete(bucket: Bucket, multipart: Multipart, parts: Sequence[Part], *, sha256: str = "") -> None:
    """Make an object of the parts; raise FileNotFoundError where the upload has ended.

    `sha256`: of the one part that there is, where it came with it.
    """
    with storage_errors():
        await bucket.s3.complete_multipart_upload(
            **bucket.at(multipart.key),
            UploadId=multipart.upload,
            MultipartUpload={"Parts": [_completed(n, part, sha256) for n, part in enumerate(parts, 1)]},
        )


async def seal(bucket: Bucket, upload: Upload) -> Source:
    """Put the parts together, once and for all; raise FileNotFoundError when they are gone.

    Nobody can add a part any more, and who comes again finds the object.
    """
    if not upload.upload:
        return Source(upload.key, upload.stored)
    try:
        await complete(bucket, Multipart(upload.key, upload.upload), upload.sent)
    except FileNotFoundError:
        # It may have been done before, and then with parts behind these that were never acknowledged.
        size = await bucket.size(upload.key)
        if size is None or size < upload.stored:
            raise
        return Source(upload.key, upload.stored, is_whole=size == upload.stored)
    return Source(upload.key, upload.stored)


async def place(bucket: Bucket, digest: Digest, sources: list[Source]) -> None:
    """Make a blob of one object after the other."""
    key, first = blob_key(digest), sources[0]
    if len(sources) == 1 and first.is_whole and first.size <= bucket.copy_bytes:
        with storage_errors():
            await bucket.s3.copy_object(
                **bucket.at(key), CopySource=_source(bucket, first), **bucket.kept(is_blob=True)
            )
        return
    async with copied(bucket, key, sources, is_blob=True) as (multipart, parts):
        await complete(bucket, multipart, parts)


@asynccontextmanager
async def copied(
    bucket: Bucket, key: str, sources: list[Source], *, is_blob: bool
) -> AsyncIterator[tuple[Multipart, list[Part]]]:
    """Lend a multipart upload that has the sources as its parts; it is dropped when the block fails."""
    multipart = await begin(bucket, key, is_blob=is_blob)
    try:
        ranges = [
            (source, start, stop)
            for source in sources
            for start, stop in _ranges(source.size, bucket.copy_bytes)
        ]
        gate = asyncio.Semaphore(_COPIES_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_within(gate, copy_part(bucket, multipart, number, source=s, span=span)))
                for number, (s, *span) in enumerate(ranges, 1)
            ]
        yield multipart, [task.result() for task in tasks]
    except BaseException as error:
        async with tidying():
            await asyncio.shield(abort(bucket, multipart))
        if isinstance(error, ExceptionGroup):
            raise error.exceptions[0] from error
        raise


async def copy_part(
    bucket: Bucket, multipart: Multipart, number: int, *, source: Source, span: Sequence[int]
) -> Part:
    """Make a range of an object a part."""
    start, stop = span
    with storage_errors():
        done = await bucket.s3.upload_part_copy(
            **bucket.at(multipart.key),
            UploadId=multipart.upload,
            PartNumber=number,
            CopySource=_source(bucket, source),
            CopySourceRange=f"bytes={start}-{stop - 1}",
        )
    return Part(done["CopyPartResult"]["ETag"])


async def is_open(bucket: Bucket, upload: Upload) -> bool:
    """Whether parts can be added still; raise FileNotFoundError when there is nothing to add them to."""
    if not upload.upload:
        if await bucket.size(tail_key(upload.tail)) != upload.tail_bytes:
            raise FileNotFoundError("the upload's bytes are gone")
        return True
    try:
        with storage_errors():
            await bucket.s3.list_parts(**bucket.at(upload.key), UploadId=upload.upload, MaxParts=1)
    except FileNotFoundError:
        return False
    return True


async def copy_upload(bucket: Bucket, upload: Upload, offset: int) -> Upload:
    """Make a new upload of the first bytes of one, to which nobody can add from then on."""
    if upload.blob:
        raise FileNotFoundError("this upload was never to be continued")
    kept = min(offset, upload.stored)
    sealed = await seal(bucket, upload) if upload.upload else None
    behind = await read_first(bucket, tail_key(upload.tail), offset - kept)
    if sealed is None or kept < bucket.part_bytes:
        # Too little to be a part.
        before = await read_first(bucket, sealed.key, kept) if sealed else b""
        return await _with_tail(bucket, Upload(), before + behind)
    new, source = Upload(parts=uuid4().hex), Source(sealed.key, kept)
    async with copied(bucket, new.key, [source], is_blob=False) as (multipart, parts):
        new = replace(new, upload=multipart.upload, etags=named(parts), stored=kept)
        return await _with_tail(bucket, new, behind)


async def _with_tail(bucket: Bucket, upload: Upload, content: bytes) -> Upload:
    if not content:
        return upload
    name = uuid4().hex
    await bucket.put(tail_key(name), content, is_blob=False)
    return replace(upload, tail=name, tail_bytes=len(content))


async def _within(gate: asyncio.Semaphore, copying: Awaitable[Part]) -> Part:
    async with gate:
        return await copying


def _completed(number: int, part: Part, sha256: str) -> "CompletedPartTypeDef":
    completed: CompletedPartTypeDef = {"PartNumber": number, "ETag": part.etag}
    if part.crc32:
        completed["ChecksumCRC32"] = part.crc32
    if sha256:
        completed["ChecksumSHA256"] = sha256
    return completed


def _ranges(size: int, least: int) -> list[tuple[int, int]]:
    """Cut a size into ranges of this length or more, as even as can be."""
    count = max(1, size // part_size(size, least))
    return [(size * i // count, size * (i + 1) // count) for i in range(count)]


def _source(bucket: Bucket, source: Source) -> Any:  # noqa: ANN401 - the stubs name their own type of dictionary
    return bucket.at(source.key)
