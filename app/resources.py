"""What a process holds open: database, storage, cache, settings."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiohttp import web
from msgspec import Struct
from redis.asyncio import Redis

from app.db import Database, open_database
from app.outgoing import Caller, open_caller
from app.settings import Settings, SettingsError, require
from app.storage import ContentCache, SignedUrls, StorageDriver, StorageWatch, open_storage, watched
from app.vault import Sealer

_TAIL_BYTES: Final = 4 << 20
_REDIS_SECONDS: Final = 0.5
"""How long anybody waits for Redis: what it holds here is nothing that a request could not do without."""


class Resources(Struct, frozen=True):
    """Opened once per process and handed to every use case that commits on its own.

    `watch` knows how the storage does. `signed` has URLs of blobs that lead past us. `cache` keeps content by
    digest, `tails` what small uploads have sent so far, by session. `sealer` encrypts with the keys of the
    settings. `caller` posts to servers that users name. `redis` connects when it is first asked; None where
    the process is told of none.
    """

    settings: Settings
    database: Database
    storage: StorageDriver
    watch: StorageWatch
    signed: SignedUrls
    cache: ContentCache
    tails: ContentCache
    sealer: Sealer
    caller: Caller
    redis: Redis | None = None


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
    require(settings, "database.url", "auth.secret_key")
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(open_storage(settings))
        watch = await stack.enter_async_context(watched(storage))
        caller = await stack.enter_async_context(open_caller(settings.outgoing))
        redis = await stack.enter_async_context(_redis(settings.redis.url)) if settings.redis.url else None
        database = await stack.enter_async_context(
            open_database(
                settings.database.url,
                size=settings.database.pool_size,
                statement_timeout=settings.database.statement_timeout,
            )
        )
        yield Resources(
            settings=settings,
            database=database,
            storage=storage,
            watch=watch,
            signed=SignedUrls(storage, settings.downloads),
            cache=ContentCache(settings.manifests.cache_bytes),
            tails=ContentCache(_TAIL_BYTES),
            sealer=Sealer(settings.auth),
            caller=caller,
            redis=redis,
        )


def redis_key(*parts: str) -> str:
    """Return a key of ours in a Redis that others may use, too."""
    return ":".join(("roadstead", *parts))


def _redis(url: str) -> Redis:
    try:
        client: Redis = Redis.from_url(
            url, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS
        )
    except ValueError as error:
        raise SettingsError(f"redis.url: {error}") from None
    return client
