"""The way to one bucket: a client that retries with care, and whose errors are those of storage."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session
from botocore.handlers import add_expect_header

from app.oci.digest import Digest
from app.settings import StorageSettings
from app.storage.body import Body
from app.storage.checksums import checksum_of, sha256_of
from app.storage.driver import StorageError
from app.storage.paths import blob_key
from app.storage.s3_errors import refuse_redirection, refuse_silence, remedy_of, storage_errors
from app.storage.s3_identity import Identity, find_identity
from app.storage.s3_retry import Retries
from app.storage.sockets import ending_after

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import ObjectIdentifierTypeDef

_CONNECTIONS: Final = 256
_REMOVED_AT_ONCE: Final = 1_000


class Signer(NamedTuple):
    """What signs URLs: a client for the server as clients reach it, and whose signature that is."""

    s3: "S3Client"
    identity: Identity


class Bucket:
    """The bucket's objects below the prefix, by our own keys."""

    def __init__(
        self, s3: "S3Client", settings: StorageSettings, *, signer: "Signer", copy_bytes: int
    ) -> None:
        self.s3: Final = s3
        self._signer = signer
        self.keeps_versions = False
        """Whether what is removed or written over stays behind; the last object that was put showed it."""
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
            done = await self.s3.put_object(
                **self.at(key), Body=Body(content), ChecksumSHA256=checksum, **self.kept(is_blob=is_blob)
            )
        self.keeps_versions = done.get("VersionId", "null") != "null"

    async def put_blob(self, digest: Digest, content: bytes) -> None:
        """Store a blob whole."""
        await self.put(blob_key(digest), content, is_blob=True, sha256=checksum_of(digest))

    async def size(self, key: str) -> int | None:
        """Return the size of an object in bytes, or None."""
        try:
            with storage_errors():
                found = await self.s3.head_object(**self.at(key))
        except FileNotFoundError:
            return None
        if "ContentLength" not in found:
            raise StorageError(f"{key} was answered without its size")
        return found["ContentLength"]

    async def lasting(self, lifetime: timedelta) -> timedelta:
        """Return how much of a lifetime a URL has that is signed now: it ends with the credentials."""
        return await self._signer.identity.lasting(lifetime)

    async def sign(
        self, key: str, lifetime: timedelta, *, call: str = "get_object", **chosen: str | int
    ) -> str:
        """Return a URL that makes this call on the object for as long, at the server as clients reach it."""
        with storage_errors():
            return await self._signer.s3.generate_presigned_url(
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
        # It is `Retries` that decides.
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=settings.connect_timeout.total_seconds(),
        read_timeout=settings.read_timeout.total_seconds(),
        max_pool_connections=_CONNECTIONS,
        connector_args={"socket_factory": ending_after(settings.read_timeout)},
    )
    if settings.ca_file:
        _require_authority(settings.ca_file)
    async with AsyncExitStack() as stack:
        identity = Identity() if settings.access_key else await find_identity(_session())
        opened = partial(_opened, stack, settings, config=config, identity=identity)
        s3 = await opened(settings.endpoint)
        signer = await opened(settings.public_endpoint) if settings.public_endpoint else s3
        bucket = Bucket(s3, settings, signer=Signer(signer, identity), copy_bytes=copy_bytes)
        await _find(bucket, settings.endpoint or "S3")
        yield bucket


async def _opened(
    stack: AsyncExitStack, settings: StorageSettings, endpoint: str, *, config: AioConfig, identity: Identity
) -> "S3Client":
    """Open a client of a server, until the stack is closed."""
    with storage_errors():
        creating = _session().create_client(
            "s3",
            region_name=settings.region or None,
            endpoint_url=endpoint or None,
            verify=settings.ca_file or None,
            # Plain strings: the SDK knows nothing of ours.
            aws_access_key_id=str(settings.access_key) or None,
            aws_secret_access_key=str(settings.secret_key) or None,
            config=config,
        )
        s3: S3Client = await stack.enter_async_context(creating)
    # The wait for a "100 Continue" has no end where the server says nothing: the timeout begins after it.
    s3.meta.events.unregister("before-call.s3", add_expect_header)
    s3.meta.events.register_first("before-sign.s3", identity.renew)
    s3.meta.events.register_first("needs-retry.s3", refuse_redirection)
    s3.meta.events.register("after-call.s3", refuse_silence)
    Retries(settings.patience).of(s3)
    return s3


@cache
def _session() -> AioSession:
    """Read what the SDK knows of S3 once; it takes a while."""
    return get_session()


async def _find(bucket: Bucket, where: str) -> None:
    """Raise StorageError unless the bucket is there; by a list, for what refuses a HEAD cannot say why."""
    try:
        with storage_errors():
            await bucket.s3.list_objects_v2(**bucket.below(""), MaxKeys=1)
    except FileNotFoundError as error:
        raise StorageError(f"what answers at {where} does not speak S3: {error}") from error
    except StorageError as error:
        is_missing = isinstance(error.__cause__, bucket.s3.exceptions.NoSuchBucket)
        said = f"there is no bucket `{bucket.name}` at {where}" if is_missing else str(error).rstrip(".")
        raise type(error)(": ".join(filter(None, (said, remedy_of(error.__cause__))))) from error


def _require_authority(file: str) -> None:
    """Raise StorageError unless certificates can be read from a file."""
    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:
        raise StorageError(
            f"no certificate in PEM can be read from {file}, which ROADSTEAD_STORAGE_CA_FILE names: {error}"
        ) from error
