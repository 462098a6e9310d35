"""What a process holds open: database, storage, cache, settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web
from msgspec import Struct

from app.db import Database, open_database
from app.settings import Settings, require
from app.storage import ContentCache, FilesystemDriver, StorageDriver

_TAIL_BYTES: Final = 4 << 20


class Resources(Struct, frozen=True):
    """Opened once per process and handed to every use case that commits on its own.

    `cache` keeps content by digest, `tails` what small uploads have sent so far, by session.
    """

    settings: Settings
    database: Database
    storage: StorageDriver
    cache: ContentCache
    tails: ContentCache


RESOURCES: Final = web.AppKey("resources", Resources)


def resources(request: web.Request) -> Resources:
    """Return the resources of the process that serves the request."""
    return request.app[RESOURCES]


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Open everything for as long as the block runs.

    Raises:
        SettingsError: a required setting is missing.
        DatabaseUnavailable, StorageError: it cannot be reached.
    """
    require(settings, "database.url")
    storage = FilesystemDriver(settings.storage_root)
    async with open_database(
        settings.database.url,
        size=settings.database.pool_size,
        statement_timeout=settings.database.statement_timeout,
    ) as database:
        yield Resources(
            settings=settings,
            database=database,
            storage=storage,
            cache=ContentCache(settings.manifests.cache_bytes),
            tails=ContentCache(_TAIL_BYTES),
        )
