"""The way to one bucket: a client that retries with care, and whose errors are those of storage."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004 - its name

from app.oci.digest import Digest
from app.settings import StorageSettings
from app.storage.checksums import checksum_of, sha256_of
from app.storage.driver import StorageBusy, StorageError, StorageFull
from app.storage.paths import blob_key

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import ObjectIdentifierTypeDef

_GONE: Final = frozenset({"NoSuchKey", "NoSuchUpload", "404", "NotFound"})
_FULL: Final = frozenset(
    {"QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "XMinioStorageFull", "InsufficientStorage"}
)
_PATIENCE: Final = frozenset({408, 429, 500, 502, 503, 504})
_CONNECTIONS: Final = 256
_REMOVED_AT_ONCE: Final = 1_000


class Bucket:
    """The bucket's objects below the prefix, by our own keys."""

    def __init__(
        self, s3: "S3Client", settings: StorageSettings, *, signer: "S3Client", copy_bytes: int
    ) -> None:
        self.s3: Final = s3
        self._signer = signer
        self._settings = settings
        self.part_bytes: Final = settings.part_bytes
        self.patience: Final = settings.read_timeout.total_seconds()
        self.copy_bytes: Final = copy_bytes
        self.name: Final = settings.bucket
        self._prefix: Final = f"{settings.prefix.strip('/')}/" if settings.prefix.strip("/") else ""

    def at(self, key: str) -> dict[str, Any]:
        """Return the arguments of a call that say which object it is about."""
        return {"Bucket": self.name, "Key": self._prefix + key}

    def below(self, key: str) -> dict[str, Any]:
        """Return the arguments of a call that lists what begins so."""
        return {"Bucket": self.name, "Prefix": self._prefix + key}

    def has(self, name: str) -> bool:
        """Whether an object that a list named is one of ours: others may use the rest of the bucket."""
        return name.startswith(self._prefix)

    def key_of(self, name: str) -> str:
        """Return our key of an object that a list named."""
        return name.removeprefix(self._prefix)

    def kept(self, *, is_blob: bool) -> dict[str, Any]:
        """Return the arguments of a call that makes an object: how it is encrypted, and where it is kept.

        The cheaper classes charge for a month at least, so only blobs go there.
        """
        settings = self._settings
        how = {"SSEKMSKeyId": settings.kms_key}
        if settings.encryption != "default":
            how["ServerSideEncryption"] = settings.encryption
        if is_blob:
            how["StorageClass"] = settings.object_class
        return {
            "ContentType": "application/octet-stream",
            **{name: value for name, value in how.items() if value},
        }

    async def put(self, key: str, content: bytes, *, is_blob: bool, sha256: str = "") -> None:
        """Store an object whole; the storage refuses it unless it is what was sent."""
        checksum = sha256 or await asyncio.to_thread(sha256_of, content)
        with storage_errors():
            await self.s3.put_object(
                **self.at(key), Body=content, ChecksumSHA256=checksum, **self.kept(is_blob=is_blob)
            )

    async def put_blob(self, digest: Digest, content: bytes) -> None:
        """Store a blob whole."""
        await self.put(blob_key(digest), content, is_blob=True, sha256=checksum_of(digest))

    async def size(self, key: str) -> int | None:
        """Return the size of an object in bytes, or None."""
        try:
            with storage_errors():
                return (await self.s3.head_object(**self.at(key)))["ContentLength"]
        except FileNotFoundError:
            return None

    async def sign(
        self, key: str, lifetime: timedelta, *, call: str = "get_object", **chosen: str | int
    ) -> str:
        """Return a URL that makes this call on the object for as long, at the server as clients reach it."""
        with storage_errors():
            return await self._signer.generate_presigned_url(
                call,
                Params={**self.at(key), **chosen},
                ExpiresIn=int(lifetime.total_seconds()),
            )

    async def remove(self, *keys: str) -> None:
        """Remove objects, a thousand in a request; fine where there are none."""
        for start in range(0, len(keys), _REMOVED_AT_ONCE):
            named: list[ObjectIdentifierTypeDef] = [
                {"Key": self._prefix + key} for key in keys[start : start + _REMOVED_AT_ONCE]
            ]
            with storage_errors():
                done = await self.s3.delete_objects(
                    Bucket=self.name, Delete={"Objects": named, "Quiet": True}
                )
            if failed := done.get("Errors"):
                # Each can fail by itself, and the answer is 200 all the same.
                raise StorageError(f"{len(failed)} objects could not be removed: {failed[0].get('Message')}")


@asynccontextmanager
async def open_bucket(settings: StorageSettings, copy_bytes: int) -> AsyncIterator[Bucket]:
    """Lend the way to a bucket; raise StorageError unless there is one."""
    config = AioConfig(
        signature_version="s3v4",
        s3={
            "addressing_style": "path" if settings.is_path_style else "auto",
            # What is sent names a checksum in its signed headers, which is proof enough.
            "payload_signing_enabled": False,
        },
        # Every body that is sent has one already, and who pulls compares the digest.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # Growing pauses with jitter, and none when too much fails. The mode `adaptive` would slow down the
        # whole process for one request that the storage was too busy for.
        retries={"mode": "standard", "total_max_attempts": settings.attempts},
        connect_timeout=settings.connect_timeout.total_seconds(),
        read_timeout=settings.read_timeout.total_seconds(),
        max_pool_connections=_CONNECTIONS,
    )
    async with AsyncExitStack() as stack:
        s3 = await stack.enter_async_context(_client(settings, settings.endpoint, config))
        signer = s3
        if settings.public_endpoint:
            signer = await stack.enter_async_context(_client(settings, settings.public_endpoint, config))
        bucket = Bucket(s3, settings, signer=signer, copy_bytes=copy_bytes)
        await _find(bucket, settings.endpoint or "S3")
        yield bucket


@asynccontextmanager
async def _client(settings: StorageSettings, endpoint: str, config: AioConfig) -> AsyncIterator["S3Client"]:
    with storage_errors():
        creating = _session().create_client(
            "s3",
            region_name=settings.region or None,
            endpoint_url=endpoint or None,
            # Plain strings: the SDK knows nothing of ours.
            aws_access_key_id=str(settings.access_key) or None,
            aws_secret_access_key=str(settings.secret_key) or None,
            config=config,
        )
    async with creating as s3:
        yield s3


@cache
def _session() -> AioSession:
    """Read what the SDK knows of S3 once; it takes a while."""
    return get_session()


async def _find(bucket: Bucket, where: str) -> None:
    """Raise StorageError unless the bucket is there; by a list, for what refuses a HEAD cannot say why."""
    with storage_errors():
        try:
            await bucket.s3.list_objects_v2(**bucket.below(""), MaxKeys=1)
        except bucket.s3.exceptions.NoSuchBucket:
            raise StorageError(
                f"there is no bucket `{bucket.name}` at {where}: make it, or name another one by "
                "ROADSTEAD_STORAGE_BUCKET"
            ) from None


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raise FileNotFoundError for what is not there, else StorageFull, StorageBusy or StorageError."""
    try:
        yield
    except ClientError as error:
        raise _translated(error) from error
    except (ConnectionError, HTTPClientError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise StorageBusy(f"{type(error).__name__}: {error}") from error
    except BotoCoreError as error:
        raise StorageError(f"{type(error).__name__}: {error}") from error


def _translated(error: ClientError) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _GONE:
        return FileNotFoundError(str(error))
    if code in _FULL:
        return StorageFull(str(error))
    return StorageBusy(str(error)) if status in _PATIENCE else StorageError(str(error))
