"""What goes wrong between us and S3, as errors of storage, and what an operator does about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - its name
    HTTPClientError,
    NoCredentialsError,
    SSLError,
)

from app.storage.driver import CredentialsRefused, StorageBusy, StorageError, StorageFull

if TYPE_CHECKING:
    from botocore.model import OperationModel

_GONE: Final = frozenset({"NoSuchKey", "NoSuchUpload", "404", "NotFound"})
_FULL: Final = frozenset(
    {"QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "XMinioStorageFull", "InsufficientStorage"}
)
_PATIENCE: Final = frozenset({408, 429, 500, 502, 503, 504})
_PASSING: Final = frozenset({"IncompleteBody", "OperationAborted", "RequestTimeout", "SlowDown"})
"""What passes, too, whatever the status."""

_REFUSED: Final = frozenset(
    {
        "403",  # to a HEAD
        "AccessDenied",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "InvalidTokenId",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    }
)

_ELSEWHERE: Final = frozenset({"AuthorizationHeaderMalformed", "PermanentRedirect"})
_RENEW: Final = "these credentials have ended: let what issues them do so in time"
_REMEDIES: Final = {
    "AccessDenied": "let the account of the settings list the bucket (s3:ListBucket)",
    **dict.fromkeys(_ELSEWHERE, "set ROADSTEAD_STORAGE_REGION to that of the bucket"),
    "NoSuchBucket": "make it, or name another one by ROADSTEAD_STORAGE_BUCKET",
    "ExpiredToken": _RENEW,
    "InvalidTokenId": _RENEW,
    "InvalidAccessKeyId": "the server knows no such key, or it has ended: is it that of the settings?",
    "400": "is it http:// or https:// in ROADSTEAD_STORAGE_ENDPOINT?",
    "SignatureDoesNotMatch": "compare ROADSTEAD_STORAGE_SECRET_KEY with the access key; a proxy before the "
    "storage has to leave Host and path as they are",
    "RequestTimeTooSkewed": "set the clocks by NTP",
}


_FAILED: Final = 300
_SAID: Final = {
    "CompleteMultipartUpload": "ETag",
    "CopyObject": "CopyObjectResult",
    "CreateMultipartUpload": "UploadId",
    "GetObject": "ETag",
    "HeadObject": "ETag",
    "PutObject": "ETag",
    "UploadPart": "ETag",
    "UploadPartCopy": "CopyPartResult",
}
"""What an answer has that is the storage's."""


class _Gone(FileNotFoundError):
    """The storage has no such thing; files of this machine, which the SDK reads, too, are another matter."""


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raise FileNotFoundError for what the storage has not, else StorageFull, StorageBusy or StorageError."""
    try:
        yield
    except _Gone:
        raise
    except (BotoCoreError, ClientError, OSError) as error:
        raise storage_error_of(error) from error


def storage_error_of(error: Exception) -> Exception:
    """Return the error of storage that one of the SDK is; StorageBusy: the request may be sent again."""
    match error:
        case ClientError():
            return _translated(error)
        case ConnectionError() | HTTPClientError() | OSError():
            return StorageBusy(f"{type(error).__name__}: {error}")
        case NoCredentialsError():
            return CredentialsRefused(f"{type(error).__name__}: {error}")
        case _:
            return StorageError(f"{type(error).__name__}: {error}")


def refuse_redirection(
    response: tuple[object, dict[str, Any]] | None,
    operation: "OperationModel",
    **_: object,
) -> None:
    """Raise ClientError where the bucket is in another region than requests are signed for.

    The SDK would ask again with the right one, but goes on to sign URLs with the wrong one.
    """
    parsed = response[1] if response else {}
    if parsed.get("Error", {}).get("Code") in _ELSEWHERE:
        raise ClientError(parsed, operation.name)


def refuse_silence(parsed: dict[str, Any], model: "OperationModel", **_: object) -> None:
    """Raise StorageError where an answer says 200 and not what was done.

    So a proxy answers that is not the storage, and S3 where what follows its headers is an error.
    """
    is_fine = parsed["ResponseMetadata"]["HTTPStatusCode"] < _FAILED
    if is_fine and not parsed.get(_SAID.get(model.name, "ResponseMetadata")):
        raise StorageError(f"{model.name} was answered 200 and not done, as far as the answer says")


def remedy_of(error: BaseException | None) -> str:
    """Return what is to be done about what keeps a bucket from being used, where that is known."""
    match error:
        case ClientError():
            return _REMEDIES.get(_code(error), "")
        case NoCredentialsError():
            return (
                "set ROADSTEAD_STORAGE_ACCESS_KEY and ..._SECRET_KEY, or give this machine an identity that "
                "the SDK finds"
            )
        case SSLError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return "name the authority of the server's certificate in ROADSTEAD_STORAGE_CA_FILE"
        case SSLError():
            return _REMEDIES["400"]
        case ConnectionError():
            return "start the storage, or name another server by ROADSTEAD_STORAGE_ENDPOINT"
        case _:
            return ""


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _translated(error: ClientError) -> Exception:
    code = _code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _GONE:
        return _Gone(str(error))
    if code in _FULL:
        return StorageFull(str(error))
    if code in _REFUSED:
        return CredentialsRefused(str(error))
    is_passing = status in _PATIENCE or code in _PASSING
    return StorageBusy(str(error)) if is_passing else StorageError(str(error))
