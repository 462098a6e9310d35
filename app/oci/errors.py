"""The error codes of the OCI Distribution spec (spec.md, "Error Codes") as exceptions, in one table.

Each class is one code; `app.http.errors` turns it into the answer. A `detail` is what a client may
be told beyond the sentence.
"""

from collections.abc import Mapping
from typing import ClassVar


class OciError(Exception):
    """An error that the spec has a code for."""

    code: ClassVar[str]
    status: ClassVar[int]
    sentence: ClassVar[str]

    def __init__(self, detail: object = None, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(self.sentence, detail)
        self.detail = detail
        self.headers = headers or {}

    @property
    def message(self) -> str:
        """What the answer says; people see this, most clients hide the detail."""
        return self.sentence

    def body(self) -> dict[str, object]:
        """Return the JSON body of the answer, in the shape of the spec."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.detail is not None:
            error["detail"] = self.detail
        return {"errors": [error]}


class BlobUnknown(OciError):
    """The repository has no such blob."""

    code, status, sentence = "BLOB_UNKNOWN", 404, "blob unknown to this repository"


class BlobUploadInvalid(OciError):
    """The request does not fit the state of the upload."""

    code, status, sentence = "BLOB_UPLOAD_INVALID", 400, "blob upload invalid"


class BlobUploadBusy(BlobUploadInvalid):
    """Another request is writing to the upload session."""

    status, sentence = 409, "another request is writing to this upload; ask for its status and retry"


class ChunkOutOfOrder(BlobUploadInvalid):
    """A chunk does not start where the upload stands."""

    status, sentence = 416, "chunk does not start at the current offset of the upload"


class BlobUploadUnknown(OciError):
    """There is no such upload session, or no more."""

    code, status, sentence = "BLOB_UPLOAD_UNKNOWN", 404, "blob upload unknown: it may have ended or expired"


class BlobUploadExpired(BlobUploadUnknown):
    """The upload session was left alone for too long."""

    status, sentence = 410, "the upload has expired; start another one"


class DigestInvalid(OciError):
    """A digest is malformed, of an unknown algorithm, or not that of the content."""

    code, status, sentence = "DIGEST_INVALID", 400, "digest is malformed or does not match the content"


class ManifestBlobUnknown(OciError):
    """A manifest names content that the repository does not have."""

    code, status, sentence = (
        "MANIFEST_BLOB_UNKNOWN",
        404,
        "manifest references content unknown to this repository",
    )


class ManifestInvalid(OciError):
    """The manifest does not follow its media type's schema."""

    code, status, sentence = "MANIFEST_INVALID", 400, "manifest invalid"


class ManifestUnknown(OciError):
    """The repository has no such manifest."""

    code, status, sentence = "MANIFEST_UNKNOWN", 404, "manifest unknown to this repository"


class NameInvalid(OciError):
    """A repository name, tag or reference breaks the grammar."""

    code, status, sentence = "NAME_INVALID", 400, "invalid repository name or tag"


class NameUnknown(OciError):
    """There is no such repository."""

    code, status, sentence = "NAME_UNKNOWN", 404, "repository name not known to registry"


class SizeInvalid(OciError):
    """The length that was announced is not the length that came."""

    code, status, sentence = "SIZE_INVALID", 400, "provided length did not match content length"


class BodyTooLarge(SizeInvalid):
    """The body is over the limit for what it is."""

    status, sentence = 413, "the body is larger than this registry accepts"


class RangeInvalid(SizeInvalid):
    """The Range header asks for nothing that the blob has."""

    status, sentence = 416, "requested range is not satisfiable"


class Unauthorized(OciError):
    """The caller must authenticate, or the token does not cover the request."""

    code, status, sentence = "UNAUTHORIZED", 401, "authentication required"


class Denied(OciError):
    """The caller is known and may not do this."""

    code, status, sentence = "DENIED", 403, "requested access to the resource is denied"


class StorageExceeded(Denied):
    """The project would use more storage than its quota allows."""

    def __init__(self, message: str, *, used_bytes: int, hard_bytes: int, needed_bytes: int) -> None:
        super().__init__({"used": used_bytes, "limit": hard_bytes, "needed": needed_bytes})
        self._message = message

    @property
    def message(self) -> str:
        """What the answer says, with the figures."""
        return self._message


class Unsupported(OciError):
    """The operation is not supported."""

    code, status, sentence = "UNSUPPORTED", 405, "the operation is unsupported"


class PresigningUnsupported(Unsupported):
    """The storage of this installation signs no URLs for uploads."""

    status, sentence = 400, "the storage of this registry cannot sign URLs for uploads"


class BlobInUse(Unsupported):
    """A manifest of the repository uses the blob."""

    sentence = "a manifest of this repository uses the blob; delete the manifest first"


class ManifestInUse(Unsupported):
    """An index of the repository lists the manifest."""

    sentence = "an index of this repository lists the manifest; delete the index first"


class PaginationNumberInvalid(OciError):
    """`n` is not a number of entries (code of the distribution project)."""

    code, status, sentence = (
        "PAGINATION_NUMBER_INVALID",
        400,
        "n must be a whole number of entries, 0 or more",
    )


class TooManyRequests(OciError):
    """The caller should slow down."""

    code, status, sentence = "TOOMANYREQUESTS", 429, "too many requests"
