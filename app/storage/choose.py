"""The storage driver that the settings name."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module

from app.settings import Settings, StorageSettings
from app.storage.driver import StorageDriver
from app.storage.filesystem import FilesystemDriver
from app.storage.s3_options import S3Options


@asynccontextmanager
async def open_storage(settings: Settings) -> AsyncIterator[StorageDriver]:
    """Lend the driver; raise StorageError where it cannot work."""
    if settings.storage.driver == "filesystem":
        yield FilesystemDriver(settings.storage_root)
        return
    # Its SDK takes a tenth of a second and 10 MB, which a registry on files has better uses for.
    module = import_module("app.storage.s3")
    opening: AbstractAsyncContextManager[StorageDriver] = module.open_s3(_s3_options(settings.storage))
    async with opening as driver:
        yield driver


def _s3_options(settings: StorageSettings) -> S3Options:
    return S3Options(
        bucket=settings.bucket,
        prefix=settings.prefix,
        region=settings.region,
        endpoint=settings.endpoint,
        public_endpoint=settings.public_endpoint,
        is_path_style=settings.is_path_style,
        # A plain string: the SDK knows nothing of ours.
        access_key=str(settings.access_key),
        secret_key=str(settings.secret_key),
        encryption="" if settings.encryption == "default" else settings.encryption,
        kms_key=settings.kms_key,
        storage_class=settings.object_class,
        part_bytes=settings.part_bytes,
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        attempts=settings.attempts,
    )
