"""Azure: an upload is a blob whose blocks are not committed yet, and the storage copies it to its place.

A block that no list of blocks names is dropped with the commit, so two writers cannot meet: each gives names
of its own to its blocks, and the session's state is the list.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from azure.core import MatchConditions
from azure.core.exceptions import AzureError
from azure.storage.blob import BlobBlock, ContentSettings, StandardBlobTier
from azure.storage.blob.aio import BlobClient, BlobLeaseClient
from msgspec.structs import replace

from app.settings import StorageSettings
from app.storage.azure_client import Account, BlobLeased, open_account, storage_errors
from app.storage.checksums import base64_of, md5_of
from app.storage.driver import SignedPut, StorageError
from app.storage.paths import upload_key
from app.storage.pieces import Piece, Upload, made_at, new_name
from app.storage.pieces_driver import PieceDriver
from app.storage.resumed import BrokenOff, resumed

_LARGEST_BLOCK: Final = 4_000 << 20
_POLL_SECONDS: Final = 0.5
_UPLOADS: Final = "uploads/"


class AzureContainer:
    """Implements `app.storage.pieces.Container` on a container of Azure Blob Storage."""

    def __init__(self, account: Account, settings: StorageSettings) -> None:
        self._account = account
        self._tier = StandardBlobTier(settings.object_class) if settings.object_class else None
        self.part_bytes = settings.part_bytes
        self.most_piece_bytes = _LARGEST_BLOCK
        self.can_sign = True

    async def put(self, key: str, content: bytes, *, is_blob: bool) -> None:
        """Store a blob whole; Azure refuses it unless it is what was sent."""
        checksum = await asyncio.to_thread(md5_of, content)
        with storage_errors():
            await self._account.blob(key).upload_blob(
                content,
                overwrite=True,
                content_settings=ContentSettings(content_type="application/octet-stream"),
                standard_blob_tier=self._tier if is_blob else None,
                headers={"Content-MD5": checksum},
            )

    async def size(self, key: str) -> int | None:
        """Return the size of a blob in bytes, or None."""
        try:
            with storage_errors():
                properties = await self._account.blob(key).get_blob_properties()
        except FileNotFoundError:
            return None
        if properties.size is None:
            raise StorageError(f"{key} was answered without its size")
        return int(properties.size)

    async def read(self, key: str, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Ask once for the bytes of a blob."""
        async with _got(self._account.blob(key), start, stop) as (body, length):
            if length != stop - start:
                raise StorageError(f"{key} has not the {stop} bytes that it should have")
            try:
                async for piece in body:
                    yield piece
            except (AzureError, OSError) as error:
                raise BrokenOff(f"reading broke off: {type(error).__name__}: {error}") from error

    async def remove(self, key: str) -> None:
        """Remove a blob; fine where there is none."""
        with suppress(FileNotFoundError), storage_errors():
            await self._account.blob(key).delete_blob(delete_snapshots="include")

    async def list_keys(self, below: str) -> AsyncIterator[str]:
        """Yield the key of each blob that begins so."""
        names = self._account.container.list_blob_names(name_starts_with=self._account.prefix + below)
        with storage_errors():
            async for name in names:
                yield name.removeprefix(self._account.prefix)

    async def sign(self, key: str, lifetime: timedelta, *, content_type: str, disposition: str) -> str:
        """Return a URL with a signature of the account's key, or of one that it lends to our identity."""
        return await self._account.sign(key, lifetime, content_type=content_type, disposition=disposition)

    async def sign_piece(
        self, upload: str, piece: str, lifetime: timedelta, *, size: int | None
    ) -> SignedPut:
        """Sign a URL for a block. Azure takes no empty ones, so one for nothing is for a whole blob.

        The signature is for writing to the upload's blob, in whatever way.
        """
        url = await self._account.sign_writing(upload_key(upload), lifetime)
        if size == 0:
            return SignedPut(url, {"x-ms-blob-type": "BlockBlob"})
        return SignedPut(f"{url}&comp=block&blockid={quote(base64_of(piece.encode()), safe='')}", {})

    async def put_piece(self, upload: str, piece: Piece, content: bytes) -> None:
        """Stage a block."""
        checksum = await asyncio.to_thread(md5_of, content)
        with storage_errors():
            await self._blocks(upload).stage_block(piece.name, content, headers={"Content-MD5": checksum})

    async def sizes(self, upload: str) -> dict[str, int]:
        """Return the size of each block, whether it is committed or not."""
        try:
            with storage_errors():
                committed, staged = await self._blocks(upload).get_block_list("all")
        except FileNotFoundError:
            return {}
        return {block.id: block.size for block in (*committed, *staged)}

    async def read_pieces(self, upload: Upload, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Yield the bytes of an upload; blocks can only be read once they are committed."""
        await self._commit(upload)
        read = partial(self.read, upload_key(upload.name))
        async with aclosing(resumed(read, start, stop)) as pieces:
            async for piece in pieces:
                yield piece

    async def fork(self, upload: Upload) -> Upload:
        """Have Azure copy the committed blocks, which keep their names."""
        forked = replace(upload, name=new_name())
        await self._commit(upload)
        await self._copy(upload_key(upload.name), upload_key(forked.name))
        return forked

    async def join(self, upload: Upload, key: str) -> None:
        """Commit the blocks, and have Azure copy them to their place."""
        await self._commit(upload)
        await self._copy(upload_key(upload.name), key, standard_blob_tier=self._tier)

    async def remove_pieces(self, upload: str, pieces: Iterable[Piece]) -> None:
        """Leave it to the commit: a block cannot be removed alone."""

    async def remove_upload(self, upload: str) -> None:
        """Drop all blocks; a client who may write to them cannot hold us up by a lease."""
        try:
            await self._drop(upload)
        except BlobLeased:
            with storage_errors():
                await BlobLeaseClient(self._blocks(upload)).break_lease(0)
            await self._drop(upload)

    async def freeze(self, upload: Upload, name: str) -> None:
        """Commit the blocks, and have Azure copy just what came of it to where nothing is yet."""
        tag = await self._commit(upload)
        with suppress(FileExistsError):
            await self._copy(
                upload_key(upload.name),
                upload_key(name),
                match_condition=MatchConditions.IfMissing,
                source_etag=tag,
                source_match_condition=MatchConditions.IfNotModified,
            )

    async def frozen(self, name: str) -> Upload | None:
        """Return the blocks of what Azure has copied; make room for another copy where that failed."""
        blob = self._blocks(name)
        try:
            status = await _copied(blob)
            if status in {"failed", "aborted"}:
                await self.remove(upload_key(name))
                return None
            with storage_errors():
                blocks, _ = await blob.get_block_list("committed")
        except FileNotFoundError:
            return None
        return Upload(name, tuple(Piece(block.id, block.size) for block in blocks))

    async def list_uploads(self) -> AsyncIterator[tuple[str, datetime]]:
        """Yield each upload and when it got its last block, which is in its name."""
        prefix = self._account.prefix + _UPLOADS
        found = self._account.container.list_blobs(prefix, include=["uncommittedblobs"])
        with storage_errors():
            async for blob in found:
                upload = blob.name.removeprefix(prefix)
                times = [datetime.fromtimestamp(made_at(name), UTC) for name in await self.sizes(upload)]
                yield upload, max(times, default=blob.last_modified)

    def _blocks(self, upload: str) -> BlobClient:
        return self._account.blob(upload_key(upload))

    async def _drop(self, upload: str) -> None:
        """Remove a blob; to commit none is the only way to be rid of blocks that are not committed."""
        with suppress(FileNotFoundError), storage_errors():
            await self._blocks(upload).commit_block_list([])
        await self.remove(upload_key(upload))

    async def _commit(self, upload: Upload) -> str:
        """Make a blob of the blocks, and return its entity tag; more can follow."""
        with storage_errors():
            done = await self._blocks(upload.name).commit_block_list(
                [BlobBlock(piece.name) for piece in upload.pieces],
                content_settings=ContentSettings(content_type="application/octet-stream"),
            )
        return str(done["etag"])

    async def _copy(self, source: str, target: str, **chosen: Any) -> None:  # noqa: ANN401 - as the SDK has it
        """Copy inside the account, where who may write may read; wait where it is not a matter of names."""
        blob = self._account.blob(target)
        with storage_errors():
            started = await blob.start_copy_from_url(self._account.blob(source).url, **chosen)
        status: object = started["copy_status"]
        if status == "pending":
            status = await _copied(blob)
        if status != "success":
            raise StorageError(f"copying {source} to {target} ended with `{status}`")


@asynccontextmanager
async def open_driver(settings: StorageSettings) -> AsyncIterator[PieceDriver]:
    """Lend the driver of a container; raise StorageError unless there is one."""
    async with open_account(settings) as account:
        yield PieceDriver(AzureContainer(account, settings))


async def _copied(blob: BlobClient) -> str | None:
    """Return how the copy that made a blob ended."""
    while True:
        with storage_errors():
            status = (await blob.get_blob_properties()).copy.status
        if status != "pending":
            return status
        await asyncio.sleep(_POLL_SECONDS)


@asynccontextmanager
async def _got(
    blob: BlobClient, start: int, stop: int
) -> AsyncIterator[tuple[AsyncIterator[bytes], int | None]]:
    """Ask for a range as one stream: what the SDK shows of this collects it in memory, piece by piece."""

    def taken(answer: Any, body: AsyncIterator[bytes], headers: dict[str, Any]) -> Any:  # noqa: ANN401 - the SDK's
        return answer.http_response.internal_response, body, headers["Content-Length"]

    download: Any = blob._client.blob.download  # noqa: SLF001 - see above
    with storage_errors():
        response, body, length = await download(range=f"bytes={start}-{stop - 1}", cls=taken)
    try:
        yield body, length
    finally:
        # The SDK closes it at the end and after some errors, and not when nobody reads on.
        response.close()
