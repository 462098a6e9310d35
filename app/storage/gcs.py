"""Google Cloud Storage: an upload is a number of objects, which the storage composes in the blob's place.

Each has a name that nobody else gives, so two writers cannot meet; the session's state says which, and in
what order.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple, TypeVar
from uuid import uuid4

import msgspec
from aiohttp import ClientError
from msgspec.structs import replace

from app.settings import StorageSettings
from app.storage.checksums import md5_of
from app.storage.direct import LARGEST_BLOB
from app.storage.driver import SignedPut, StorageError
from app.storage.gcs_client import Bucket, Request, open_bucket
from app.storage.gcs_identity import Asked
from app.storage.paths import upload_key
from app.storage.pieces import Piece, Upload, new_name
from app.storage.pieces_driver import PieceDriver
from app.storage.resumed import BrokenOff, resumed

_T = TypeVar("_T")

_FROZEN: Final = "frozen"
_MOST_COMPOSED: Final = 32
_READ_BYTES: Final = 1 << 20
_SENT_BYTES: Final = 1 << 18
_FIELDS: Final = "kind,nextPageToken,items(name,size,updated)"
_TYPE: Final = "application/octet-stream"
_UPLOADS: Final = "uploads/"


class _Found(NamedTuple):
    key: str
    size: int
    updated: datetime


class GcsContainer:
    """Implements `app.storage.pieces.Container` on a bucket of Google Cloud Storage."""

    def __init__(self, bucket: Bucket, settings: StorageSettings) -> None:
        self._bucket = bucket
        self._class = settings.object_class
        self.part_bytes = settings.part_bytes
        self.most_piece_bytes = LARGEST_BLOB
        self.can_sign = bucket.identity is not None and bucket.identity.can_sign

    async def put(self, key: str, content: bytes, *, is_blob: bool) -> None:
        """Store an object whole; Google refuses it unless it is what was sent."""
        checksum = await asyncio.to_thread(md5_of, content)
        kept = {"name": self._bucket.prefix + key, "md5Hash": checksum, **self._kept(is_blob=is_blob)}
        boundary = uuid4().hex
        head = f"--{boundary}\r\nContent-Type: application/json\r\n\r\n".encode()
        middle = f"\r\n--{boundary}\r\nContent-Type: {_TYPE}\r\n\r\n".encode()
        pieces = [
            memoryview(content)[start : start + _SENT_BYTES] for start in range(0, len(content), _SENT_BYTES)
        ]
        end = f"\r\n--{boundary}--\r\n".encode()
        body: tuple[bytes | memoryview, ...] = (head, msgspec.json.encode(kept), middle, *pieces, end)
        await self._bucket.ask(
            Request(
                "POST",
                f"/upload/storage/v1/b/{self._bucket.name}/o",
                {"uploadType": "multipart"},
                {
                    "Content-Type": f"multipart/related; boundary={boundary}",
                    "Content-Length": str(sum(map(len, body))),
                },
                body,
            )
        )

    async def size(self, key: str) -> int | None:
        """Return the size of an object in bytes, or None."""
        try:
            found = await self._bucket.ask(Request("GET", self._bucket.path(key), {"fields": "kind,size"}))
        except FileNotFoundError:
            return None
        return int(found["size"])

    async def read(self, key: str, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Ask once for the bytes of an object."""
        request = Request(
            "GET", self._bucket.path(key), {"alt": "media"}, {"Range": f"bytes={start}-{stop - 1}"}
        )
        async with self._bucket.open(request) as answer:
            if answer.content_length != stop - start:
                raise StorageError(f"{key} has not the {stop} bytes that it should have")
            try:
                async for piece in answer.content.iter_chunked(_READ_BYTES):
                    yield piece
            except (ClientError, TimeoutError, OSError) as error:
                raise BrokenOff(f"reading broke off: {type(error).__name__}: {error}") from error

    async def remove(self, key: str) -> None:
        """Remove an object; fine where there is none."""
        with suppress(FileNotFoundError):
            async with self._bucket.open(Request("DELETE", self._bucket.path(key))):
                pass

    async def list_keys(self, below: str) -> AsyncIterator[str]:
        """Yield the key of each object that begins so."""
        async for found in self._list(below):
            yield found.key

    async def sign(self, key: str, lifetime: timedelta, *, content_type: str, disposition: str) -> str | None:
        """Return a URL with a signature of our identity, where it has one that signs."""
        chosen = {"response-content-type": content_type, "response-content-disposition": disposition}
        if self._bucket.identity is None or not self.can_sign:
            return None
        return await self._bucket.identity.sign(Asked("GET", self._bucket.url(key), lifetime, query=chosen))

    async def sign_piece(
        self, upload: str, piece: str, lifetime: timedelta, *, size: int | None
    ) -> SignedPut:
        """Sign a URL for the piece's object; Google refuses what is not of the size."""
        if self._bucket.identity is None:
            raise StorageError("there is nothing to sign with")
        url = self._bucket.url(_piece_key(upload, piece))
        headers = {} if size is None else {"x-goog-content-length-range": f"{size},{size}"}
        signed = await self._bucket.identity.sign(Asked("PUT", url, lifetime, headers=headers))
        return SignedPut(signed, headers)

    async def put_piece(self, upload: str, piece: Piece, content: bytes) -> None:
        """Store a piece as an object of its own."""
        await self.put(_piece_key(upload, piece.name), content, is_blob=False)

    async def sizes(self, upload: str) -> dict[str, int]:
        """Return the size of each piece."""
        below = _piece_key(upload, "")
        return {found.key.removeprefix(below): found.size async for found in self._list(below)}

    async def read_pieces(self, upload: Upload, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Yield the bytes of an upload, one object after the other."""
        for piece in upload.pieces:
            read = partial(self.read, _piece_key(upload.name, piece.name))
            async with aclosing(resumed(read, max(start, 0), min(stop, piece.size))) as contents:
                async for content in contents:
                    yield content
            start, stop = start - piece.size, stop - piece.size

    async def fork(self, upload: Upload) -> Upload:
        """Have Google copy each piece."""
        forked = replace(upload, name=new_name())
        for some in _groups(upload.pieces):
            copying = (
                self._compose(
                    [_piece_key(upload.name, piece.name)], _piece_key(forked.name, piece.name), is_blob=False
                )
                for piece in some
            )
            await asyncio.gather(*copying)
        return forked

    async def join(self, upload: Upload, key: str) -> None:
        """Have Google compose the pieces, 32 at a time, and what that makes again, until it is one."""
        if not set(upload.pieces) <= (await self.sizes(upload.name)).items():
            raise FileNotFoundError("the upload's bytes are gone")
        await self._compose(await self._few(upload), key, is_blob=True)

    async def freeze(self, upload: Upload, name: str) -> None:
        """Have Google compose the pieces to one, where nothing is yet."""
        with suppress(FileExistsError):
            await self._compose(
                await self._few(upload), _piece_key(name, _FROZEN), is_blob=False, is_new=True
            )

    async def frozen(self, name: str) -> Upload | None:
        """Return the one piece that was composed."""
        size = await self.size(_piece_key(name, _FROZEN))
        return None if size is None else Upload(name, (Piece(_FROZEN, size),))

    async def _few(self, upload: Upload) -> Sequence[str]:
        """Return the keys of no more objects than can be composed at once, with all the bytes."""
        keys = [_piece_key(upload.name, piece.name) for piece in upload.pieces]
        while len(keys) > _MOST_COMPOSED:
            groups = [*_groups(keys)]
            made = [_piece_key(upload.name, new_name()) for _ in groups]
            for some in _groups([*zip(groups, made, strict=True)]):
                await asyncio.gather(*(self._compose(each, into, is_blob=False) for each, into in some))
            keys = made
        return keys

    async def remove_pieces(self, upload: str, pieces: Iterable[Piece]) -> None:
        """Remove some pieces of an upload."""
        await self._remove([_piece_key(upload, piece.name) for piece in pieces])

    async def remove_upload(self, upload: str) -> None:
        """Remove everything that lies under the upload's name."""
        await self._remove([found.key async for found in self._list(_piece_key(upload, ""))])

    async def list_uploads(self) -> AsyncIterator[tuple[str, datetime]]:
        """Yield the upload and the time of each piece."""
        async for found in self._list(_UPLOADS):
            yield found.key.removeprefix(_UPLOADS).partition("/")[0], found.updated

    async def _list(self, below: str) -> AsyncIterator[_Found]:
        query = {"prefix": self._bucket.prefix + below, "fields": _FIELDS}
        while True:
            page = await self._bucket.ask(Request("GET", f"/storage/v1/b/{self._bucket.name}/o", query))
            for item in page.get("items", []):
                key = item["name"].removeprefix(self._bucket.prefix)
                yield _Found(key, int(item["size"]), datetime.fromisoformat(item["updated"]))
            if not (token := page.get("nextPageToken")):
                return
            query["pageToken"] = token

    async def _compose(
        self, sources: Iterable[str], key: str, *, is_blob: bool, is_new: bool = False
    ) -> None:
        prefix = self._bucket.prefix
        content = msgspec.json.encode(
            {
                "sourceObjects": [{"name": prefix + source} for source in sources],
                "destination": self._kept(is_blob=is_blob),
            }
        )
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        await self._bucket.ask(
            Request(
                "POST",
                f"{self._bucket.path(key)}/compose",
                {"ifGenerationMatch": "0"} if is_new else {},
                headers,
                (content,),
            )
        )

    async def _remove(self, keys: list[str]) -> None:
        for some in _groups(keys):
            await asyncio.gather(*map(self.remove, some))

    def _kept(self, *, is_blob: bool) -> dict[str, str]:
        """Return how an object is kept; the cheaper classes charge for a month, so only blobs are."""
        kept = {"contentType": _TYPE}
        return {**kept, "storageClass": self._class} if is_blob and self._class else kept


@asynccontextmanager
async def open_driver(settings: StorageSettings) -> AsyncIterator[PieceDriver]:
    """Lend the driver of a bucket; raise StorageError unless there is one."""
    async with open_bucket(settings) as bucket:
        yield PieceDriver(GcsContainer(bucket, settings))


def _piece_key(upload: str, piece: str) -> str:
    return upload_key(f"{upload}/{piece}")


def _groups(everything: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(everything), _MOST_COMPOSED):
        yield everything[start : start + _MOST_COMPOSED]
