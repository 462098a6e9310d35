"""A storage that is tried out: what is made in it for that is removed again, whatever happens."""

import secrets
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Final

from aiohttp import ClientResponse, ClientSession, ClientTimeout, TCPConnector
from yarl import URL

from app.oci.digest import Digest
from app.settings import StorageSettings
from app.storage import DirectUploads, Frozen, SignedPut, StorageDriver, StorageError, UploadState

_PATIENCE: Final = ClientTimeout(total=120)
_LIFETIME: Final = timedelta(minutes=5)
_SHOWN_CHARACTERS: Final = 300


@dataclass
class Trial:
    """The storage, a client that knows URLs and nothing else, and what is to be removed at the end."""

    driver: StorageDriver
    client: ClientSession
    part_bytes: int
    digests: set[Digest] = field(default_factory=set)
    uploads: list[UploadState] = field(default_factory=list)
    skew_seconds: float | None = None
    """How far the storage's clock is ahead, once it has said what time it has."""

    def content(self, size: int) -> tuple[Digest, bytes]:
        """Make up a blob that no registry has."""
        content = secrets.token_bytes(32).ljust(size, b"\0")
        digest = Digest.of(content)
        self.digests.add(digest)
        return digest, content

    async def stored(self) -> tuple[Digest, bytes]:
        """Store a small blob."""
        digest, content = self.content(1_000)
        await self.driver.put(digest, content)
        return digest, content

    async def require(self, digest: Digest, content: bytes) -> None:
        """Raise StorageError unless the blob is there and is this."""
        if await self.driver.stat(digest) != len(content):
            raise StorageError("what was stored is not there, or has another size")
        if await self.read(digest, 0, len(content)) != content:
            raise StorageError("what was stored comes back with other bytes")

    async def read(self, digest: Digest, start: int, stop: int) -> bytes:
        """Return a part of a blob."""
        return b"".join([piece async for piece in self.driver.read(digest, start, stop)])

    async def append(
        self, state: UploadState, offset: int, content: bytes, *, blob: Digest | None = None
    ) -> UploadState:
        """Add to an upload, as one request of a client does."""
        state, writer = await self.driver.append(state, offset, is_contested=False, blob=blob)
        self.uploads.append(state)
        try:
            await writer.write(content)
            state = await writer.finish(blob)
        except BaseException:
            await writer.drop()
            raise
        finally:
            writer.close()
        self.uploads.append(state)
        return state

    async def get(self, url: str, **headers: str) -> bytes:
        """Return what a URL opens."""
        async with self.client.get(URL(url, encoded=True), headers=headers) as answer:
            return await self.heard(answer)

    async def signed_upload(self, digest: Digest, size: int) -> "SignedUpload | None":
        """Begin an upload that a client sends to the storage by a URL; None: the storage takes none so."""
        direct = self.driver.direct
        if direct is None:
            return None
        state = await direct.begin(digest)
        self.uploads.append(state)
        signed = await direct.sign(state, 1, _LIFETIME, size=size)
        # A path is one of the registry's own.
        return None if signed.url.startswith("/") else SignedUpload(self, direct, state, signed)

    async def heard(self, answer: ClientResponse) -> bytes:
        """Return the body, and note what time the storage has; raise StorageError where it refuses."""
        with suppress(KeyError, ValueError):
            self.skew_seconds = parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()
        body = await answer.read()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            said = " ".join(body.decode(errors="replace").split())[:_SHOWN_CHARACTERS]
            raise StorageError(f"{answer.url.origin()} answers {answer.status} {said}".rstrip())
        return body

    async def clear(self) -> None:
        """Remove all that was made; raise StorageError where something stays."""
        removals = [partial(self.driver.discard, state) for state in self.uploads]
        failures = []
        for remove in (*removals, partial(self.driver.delete, *self.digests)):
            try:
                await remove()
            except StorageError as error:
                failures.append(error)
        if failures:
            raise failures[0]


@dataclass(frozen=True)
class SignedUpload:
    """An upload by a URL of the storage."""

    trial: Trial
    direct: DirectUploads
    state: UploadState
    signed: SignedPut

    async def send(self, content: bytes) -> None:
        """Send it as a client does; raise StorageError where it is refused."""
        url = URL(self.signed.url, encoded=True)
        async with self.trial.client.put(url, data=content, headers=self.signed.headers) as answer:
            await self.trial.heard(answer)

    async def freeze(self) -> Frozen:
        """End the upload; raise BlobUploadInvalid when nothing has come."""
        frozen = await self.direct.freeze(self.state)
        self.trial.uploads.append(frozen.state)
        return frozen


@asynccontextmanager
async def trial_of(driver: StorageDriver, settings: StorageSettings) -> AsyncIterator[Trial]:
    """Lend a trial; nothing of it stays."""
    trusted = ssl.create_default_context()
    if settings.ca_file:
        trusted.load_verify_locations(settings.ca_file)
    async with ClientSession(timeout=_PATIENCE, connector=TCPConnector(ssl=trusted)) as client:
        trial = Trial(driver, client, settings.part_bytes)
        try:
            yield trial
        finally:
            await trial.clear()
