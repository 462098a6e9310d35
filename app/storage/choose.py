"""The storage driver that the settings name."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module

from app.settings import Settings
from app.storage.driver import StorageDriver
from app.storage.filesystem import FilesystemDriver


@asynccontextmanager
async def open_storage(settings: Settings) -> AsyncIterator[StorageDriver]:
    """Lend the driver; raise StorageError where it cannot work."""
    if settings.storage.driver == "filesystem":
        yield FilesystemDriver(settings.storage_root, settings.auth.keys_for(b"roadstead upload part 1"))
        return
    # An SDK takes half a second and 20 to 30 MB, for which a registry without it has better uses.
    module = import_module(f"app.storage.{settings.storage.driver}")
    opening: AbstractAsyncContextManager[StorageDriver] = module.open_driver(settings.storage)
    async with opening as driver:
        yield driver
