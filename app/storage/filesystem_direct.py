"""Uploads to files in parts, by URLs that the registry itself signs and takes bytes at.

uploads/NAME.parts/1     a part that has come
uploads/NAME.frozen/1    the same once the upload is frozen: no URL leads there
uploads/NAME             the whole
uploads/NAME.done/1      what nobody needs any more

To rename the directory ends every URL at once, whoever is using one.
"""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple
from urllib.parse import urlencode
from uuid import uuid4

from app.oci.digest import Digest
from app.oci.errors import Denied, SizeInvalid
from app.storage.direct import LARGEST_BLOB, require_whole
from app.storage.driver import DirectPart, Frozen, SignedPut, StorageDriver, StorageError, UploadState
from app.storage.durable import fsync, fsync_directory, storage_errors
from app.storage.paths import upload_key
from app.storage.url_signer import UrlSigner

PARTS_PATH: Final = "/v2/_parts"
"""Where the registry takes parts: below it, the upload and the number of the part."""

_COPY_BYTES: Final = 1 << 20
_PARTS: Final = ".parts"
_FROZEN: Final = ".frozen"
_DONE: Final = ".done"


class AskedPart(NamedTuple):
    """What a client asks for at a path: the upload and the part as the path has them, and its query."""

    upload: str
    part: str
    query: Mapping[str, str]


class FileDirectUploads:
    """Implements `app.storage.DirectUploads` on a directory; its URLs are paths at the registry."""

    least_part_bytes = 1
    most_part_bytes = LARGEST_BLOB

    def __init__(self, driver: StorageDriver, root: Path, keys: Sequence[bytes]) -> None:
        self._driver = driver
        self._root = root
        self._signer = UrlSigner(keys)

    async def begin(self, digest: Digest | None) -> UploadState:  # noqa: ARG002 - we look ourselves anyway
        """Make a directory for parts."""
        name = uuid4().hex
        with storage_errors():
            await asyncio.to_thread(os.mkdir, self._at(name, _PARTS), 0o750)
        return {"file": name, "direct": "true"}

    async def sign(
        self, state: UploadState, part: int, lifetime: timedelta, *, size: int | None = None
    ) -> SignedPut:
        """Sign a path."""
        said = {"expires": str(int(time.time() + lifetime.total_seconds()))}
        headers = {}
        if size is not None:
            said["size"] = headers["Content-Length"] = str(size)
        signature = self._signer.sign(state["file"], str(part), said["expires"], said.get("size"))
        query = urlencode({**said, "signature": signature})
        return SignedPut(f"{PARTS_PATH}/{state['file']}/{part}?{query}", headers)

    async def receive(self, asked: AskedPart, content: AsyncIterator[bytes]) -> None:
        """Take a part by a path that was signed here.

        Raises:
            Denied: it was not, or is over.
            FileNotFoundError: the upload takes no more.
            SizeInvalid: it is for another size.
        """
        self._require_signed(asked)
        target = self._at(asked.upload, _PARTS) / asked.part
        if not await asyncio.to_thread(target.parent.is_dir):
            raise FileNotFoundError("the upload takes no more parts")
        state, writer = await self._driver.append(self._driver.new_upload(), 0, is_contested=False)
        try:
            try:
                async for piece in _exactly(asked.query.get("size"), content):
                    await writer.write(piece)
                await writer.finish()
            finally:
                writer.close()
            with storage_errors():
                await asyncio.to_thread(self._at(state["file"]).rename, target)
        finally:
            with suppress(StorageError):
                # What cannot be removed now is found by `list_uploads`.
                await self._driver.discard(state)

    async def list_parts(self, state: UploadState) -> list[DirectPart]:
        """Return the files in the directory."""
        with storage_errors():
            return await asyncio.to_thread(_listed, self._at(state["file"], _PARTS))

    async def freeze(self, state: UploadState) -> Frozen:
        """Put the parts together in one file."""
        with storage_errors():
            return Frozen(state, await asyncio.to_thread(self._freeze, state["file"]))

    def _freeze(self, name: str) -> int:
        whole, parts, frozen = self._at(name), self._at(name, _PARTS), self._at(name, _FROZEN)
        if not whole.exists():
            if not frozen.exists():
                require_whole(_listed(parts), self.least_part_bytes)
                parts.rename(frozen)
            self._join(frozen, whole)
            fsync_directory(whole.parent)
        _remove(frozen)
        return whole.stat().st_size

    def _join(self, frozen: Path, whole: Path) -> None:
        """Make one file of the parts: all of them, or somebody else has done it, and removes them."""
        numbers = [part.number for part in _listed(frozen)]
        if not numbers:
            raise FileNotFoundError("the parts are gone")
        if len(numbers) == 1:
            (frozen / str(numbers[0])).rename(whole)
            return
        joined = self._at(uuid4().hex)
        try:
            with joined.open("xb") as target:
                for number in numbers:
                    _append(frozen / str(number), target)
                target.flush()
                fsync(target.fileno())
            joined.rename(whole)
        finally:
            joined.unlink(missing_ok=True)

    def _require_signed(self, asked: AskedPart) -> None:
        expires, size = asked.query.get("expires", ""), asked.query.get("size")
        signature = asked.query.get("signature", "")
        if not self._signer.is_signed(signature, asked.upload, asked.part, expires, size):
            raise Denied("this URL is not one of ours, or it was changed")
        if int(expires) <= time.time():
            raise Denied("this URL is over; ask for another one")

    def _at(self, name: str, kind: str = "") -> Path:
        return self._root / upload_key(name + kind)


def owner_of(found: str) -> UploadState:
    """Return the state of the upload that a file or directory belongs to."""
    name, _, kind = found.partition(".")
    return {"file": name, "direct": "true"} if kind else {"file": name}


def remove_parts(root: Path, state: UploadState) -> None:
    """Remove the parts of an upload, and take no more; fine when there are none."""
    parts, frozen = (root / upload_key(state["file"] + kind) for kind in (_PARTS, _FROZEN))
    with suppress(FileNotFoundError):
        parts.rename(frozen)
    _remove(frozen)


def _remove(frozen: Path) -> None:
    """Remove all parts at once for whoever looks at them, and then one by one."""
    done = frozen.with_suffix(_DONE)
    with suppress(FileNotFoundError):
        frozen.rename(done)
    with suppress(FileNotFoundError):
        shutil.rmtree(done)


def _listed(directory: Path) -> list[DirectPart]:
    with os.scandir(directory) as entries:
        found = [DirectPart(int(entry.name), entry.stat().st_size) for entry in entries]
    return sorted(found, key=lambda part: part.number)


def _append(part: Path, target: BinaryIO) -> None:
    with part.open("rb") as source:
        shutil.copyfileobj(source, target, _COPY_BYTES)


async def _exactly(size: str | None, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Pass on what comes; raise SizeInvalid unless it is as much as was said."""
    missing = int(size) if size is not None else None
    async for piece in content:
        if missing is not None:
            missing -= len(piece)
            if missing < 0:
                break
        yield piece
    if missing:
        raise SizeInvalid(f"this URL takes {size} bytes")
