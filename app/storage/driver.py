"""What every storage driver does; `tests/contracts/test_storage.py` holds each of them to it."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Protocol, TypeAlias

from msgspec import Struct

from app.oci.digest import Digest

UploadState: TypeAlias = dict[str, str]
"""Where the bytes of an upload lie; JSON, kept in the session, understood by the driver only.

A session names bytes that `StorageDriver.list_uploads` found when its state contains theirs.
"""


class StorageError(Exception):
    """The storage failed."""


class StorageBusy(StorageError):
    """The storage asks for patience, or did not answer in time; the same may work a little later."""


class CredentialsMissing(StorageBusy):
    """There is nothing to show the storage who asks; what issues it may do so a little later."""


class CredentialsRefused(StorageError):
    """Whoever asks may not, or shows nothing; that does not change before an operator has seen to it."""


class StorageFull(StorageError):
    """There is no room left; nothing of the failed write stays behind."""


class Room(Struct, frozen=True):
    """How much there is room for, and how much of it is free."""

    total_bytes: int
    free_bytes: int


class Inflow:
    """The rest of a body, on a socket that nothing else is read from as long as this is lent.

    Whoever is given one moves on as many bytes as can be had and counts them in `taken`. It need not be all,
    for whatever reason: what is left comes in pieces.
    """

    def __init__(self, descriptor: int, length: int, *, patience: float) -> None:
        self.descriptor = descriptor
        self.length = length
        self.patience = patience
        """Seconds after which a storage that sends nothing is not waited for any longer."""
        self.taken = 0

    def __len__(self) -> int:
        return self.taken


class UploadWriter(Protocol):
    """Appends to one upload; used by one task at a time.

    FileNotFoundError: what was written before is gone, as when another writer took the upload over.
    """

    async def write(self, chunk: bytes) -> None:
        """Append; raise StorageFull or StorageError."""

    async def finish(self, blob: Digest | None = None) -> UploadState:
        """Make durable all that was written, and return the state that says where it lies.

        The state that the upload was opened with stays good until the next `append`. `blob`: nothing
        follows, and this is the digest of all the bytes.
        """

    async def drop(self) -> None:
        """Remove what this writer added, when no session is going to name it; never raises StorageError."""

    def close(self) -> None:
        """Let go of what the writer holds, whether finished or not."""


class SignedPut(Struct, frozen=True):
    """Where a client PUTs bytes, and the headers that it has to send with them."""

    url: str
    headers: Mapping[str, str]


class DirectPart(Struct, frozen=True):
    """A part that has come."""

    number: int
    size_bytes: int


class Frozen(Struct, frozen=True):
    """An upload that no URL can change any more.

    `digest`: what the storage itself has found its bytes to be; None: somebody has to read them.
    """

    state: UploadState
    size_bytes: int
    digest: Digest | None = None


class DirectUploads(Protocol):
    """What a storage does that signs uploads; `discard` and `list_uploads` of the driver know them, too."""

    @property
    def least_part_bytes(self) -> int:
        """The smallest part that may have another one behind it."""

    @property
    def most_part_bytes(self) -> int:
        """The largest part that one URL takes."""

    async def begin(self, digest: Digest | None) -> UploadState:
        """Make an upload that URLs can be signed for.

        `digest`: it is to be one part with this digest. A storage that computes it refuses another one.
        """

    async def sign(
        self, state: UploadState, part: int, lifetime: timedelta, *, size: int | None = None
    ) -> SignedPut:
        """Sign a URL that takes the bytes of a part for as long, also again.

        `size`: others than just so many are refused, or do not count.
        """

    async def list_parts(self, state: UploadState) -> list[DirectPart]:
        """Return what has come, by number; raise FileNotFoundError when it is frozen or gone."""

    async def freeze(self, state: UploadState) -> Frozen:
        """Put the parts together, once and for all: no URL that was ever signed changes them any more.

        What is frozen can be read and committed as any upload, and be frozen again, if the state was lost.

        Raises:
            BlobUploadInvalid: the parts make no whole; the upload stays as it was.
            FileNotFoundError: there is no such upload any more.
        """


class StorageDriver(Protocol):
    """Keeps blobs by digest, and uploads until they become blobs.

    Whoever may stop reading bytes before their end closes what yields them: behind it is a connection.
    """

    async def check(self) -> None:
        """Raise StorageError unless the storage answers; cheap, since it is asked for ever."""

    async def check_writing(self) -> None:
        """Raise StorageError unless the storage can be written to."""

    async def room(self) -> Room | None:
        """Return how much room there is, or None where the storage knows no limit."""

    @property
    def keeps_versions(self) -> bool:
        """Whether what is deleted takes up room still, as far as the storage has said by now."""

    async def stat(self, digest: Digest) -> int | None:
        """Return the size in bytes, or None."""

    def read(self, digest: Digest, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Yield the bytes `start <= i < stop`; raise FileNotFoundError."""

    def pour(self, digest: Digest, start: int, stop: int) -> AsyncGenerator[bytes | Inflow]:
        """Yield the same for somebody who sends it on, who can also take it from a socket."""

    def local_path(self, digest: Digest) -> Path | None:
        """Return the file that holds the blob, for sendfile, where the driver has files."""

    async def lasting(self, lifetime: timedelta) -> timedelta:
        """Return how much of a lifetime a URL has that is signed now: what signs it may end before."""

    async def presign(
        self, digest: Digest, lifetime: timedelta, *, content_type: str = "", disposition: str = ""
    ) -> str | None:
        """Return a URL at which anybody gets the blob from the storage itself for as long.

        It is not asked whether the blob is there. The answer has the headers that are chosen. None: the
        storage cannot sign.
        """

    async def put(self, digest: Digest, content: bytes) -> None:
        """Store a whole small blob durably."""

    async def delete(self, *digests: Digest) -> None:
        """Remove blobs, in few requests; fine when there are none.

        A loss of power may take it back. It is over when this returns or raises, except that after
        StorageBusy what was asked for may still be done a moment later.
        """

    def list_digests(self, beginning: str = "") -> AsyncIterator[Digest]:
        """Yield every blob's digest, in no particular order; only those whose first two digits these are."""

    def new_upload(self) -> UploadState:
        """Return the state of an upload without bytes."""

    @property
    def direct(self) -> DirectUploads | None:
        """What signs URLs for uploads; None: clients of this storage send their bytes to us."""

    async def append(
        self, state: UploadState, offset: int, *, is_contested: bool, blob: Digest | None = None
    ) -> tuple[UploadState, UploadWriter]:
        """Open the upload to write from `offset`; what lies beyond is dropped.

        `blob`: the digest that the whole is said to have; where its bytes go until somebody has looked
        is still nowhere that a reader sees.

        `is_contested`: an earlier writer never said that it ended and may still write. It must not
        be able to harm the bytes that this writer leaves, so the returned state can be a new one;
        the caller discards the old one. Raises FileNotFoundError when the first bytes are not there.
        """

    def read_upload(self, state: UploadState, length: int) -> AsyncGenerator[bytes]:
        """Yield the first `length` bytes of an upload."""

    async def commit(self, state: UploadState, digest: Digest, size: int) -> None:
        """Turn a finished upload of `size` bytes durably into the blob."""

    async def list_uploads(self, idle: timedelta) -> list[UploadState]:
        """Return the uploads that nothing was written to for as long, whether a session names them or not."""

    async def discard(self, state: UploadState) -> None:
        """Remove an upload's bytes; fine when there are none."""
