"""What a session remembers of an upload to S3.

The bytes are the parts of one multipart upload, and behind them a tail that does not fill a part yet: a
small object of its own, which the next writer reads. docs/decisions/0015 says why.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from msgspec import Struct

from app.oci.digest import Digest
from app.oci.errors import DigestInvalid
from app.storage.driver import StorageError, UploadState
from app.storage.paths import blob_key, digest_of, upload_key


class Part(NamedTuple):
    """What a part is named by when parts are put together; with its CRC-32 where all of them have one."""

    etag: str
    crc32: str = ""


class Upload(Struct, frozen=True):
    """Where an upload's bytes lie."""

    parts: str = ""
    """Names the object that the multipart upload becomes, where that is not a blob yet."""
    blob: str = ""
    """Instead of `parts`: the digest of the blob that the multipart upload becomes."""
    upload: str = ""
    """Identifies the multipart upload; empty once it is put together."""
    etags: str = ""
    """Its parts: `named` writes them, `sent` reads them."""
    stored: int = 0
    """Bytes in parts."""
    tail: str = ""
    tail_bytes: int = 0
    sha256: str = ""
    """What the storage compares the one part with that a client sends to it."""
    before: str = ""
    """A tail of earlier; the next writer removes it, for only then is it certain that nobody needs it."""

    @property
    def sent(self) -> list[Part]:
        """The parts in their order."""
        return [Part(*part.split(",")) for part in self.etags.split()]

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self.stored + self.tail_bytes

    @property
    def key(self) -> str:
        """The key of what the multipart upload becomes."""
        return blob_key(Digest(self.blob)) if self.blob else parts_key(self.parts)

    @property
    def own_keys(self) -> list[str]:
        """The keys of all objects that are this upload's and nobody else's."""
        tails = [tail_key(tail) for tail in (self.tail, self.before) if tail]
        return [parts_key(self.parts), *tails] if self.parts else tails

    @property
    def state(self) -> UploadState:
        """What the session keeps."""
        return {name: str(value) for name, value in msgspec.structs.asdict(self).items() if value}


def named(parts: Iterable[Part]) -> str:
    """Write parts as a session keeps them."""
    return " ".join(f"{etag},{crc32}" if crc32 else etag for etag, crc32 in parts)


def upload_of(state: UploadState) -> Upload:
    """Read what a session kept."""
    if unknown := state.keys() - set(Upload.__struct_fields__):
        raise StorageError(f"this upload was not begun on S3: {', '.join(sorted(unknown))}")
    return msgspec.convert(state, Upload, strict=False)


def upload_at(key: str, multipart: str = "") -> Upload | None:
    """Return what an object, or a multipart upload that becomes one, is part of; None: it is not ours."""
    match key.split("/"):
        case ["uploads", "parts", name] if name:
            return Upload(parts=name, upload=multipart)
        case ["uploads", "tails", name] if name:
            return Upload(tail=name)
    try:
        return Upload(blob=digest_of(key), upload=multipart)
    except DigestInvalid:
        return None


def parts_key(name: str) -> str:
    """Return the key of the parts of an upload, put together."""
    return upload_key(f"parts/{name}")


def tail_key(name: str) -> str:
    """Return the key of a tail."""
    return upload_key(f"tails/{name}")
