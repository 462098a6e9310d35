"""How the parts of the system do, asked with little patience; the storage, which may cost, not every time."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.db import DatabaseError
from app.resources import Resources
from app.storage import StorageError
from app.system import store
from app.system.schemas import ComponentHealth, OverallHealth

log = structlog.get_logger()

_PATIENCE_SECONDS: Final = 2.0
_BACKLOG: Final = timedelta(minutes=1)
_HEALTHY: Final = "healthy"
_UNHEALTHY: Final = "unhealthy"


class NobodyWorks(Exception):
    """Events wait for a worker for longer than any worker that is there would leave them."""


async def check(r: Resources) -> OverallHealth:
    """Ask every part. Redis is only asked where this process is told of one."""
    checks = {
        "core": asyncio.sleep(0),
        "database": r.database.ping(),
        "jobservice": _jobs_are_done(r),
        **({"redis": _ping_redis(r.settings.redis.url)} if r.settings.redis.url else {}),
        "registry": r.watch.ask(),
    }
    components = await asyncio.gather(*(_component(name, asked) for name, asked in checks.items()))
    is_healthy = all(component.status == _HEALTHY for component in components)
    return OverallHealth(_HEALTHY if is_healthy else _UNHEALTHY, components)


async def _component(name: str, asked: Awaitable[None]) -> ComponentHealth:
    """Ask one part; strangers read the answer, so the reason is for the log."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await asked
    except TimeoutError:
        return ComponentHealth(name, _UNHEALTHY, "no answer")
    except NobodyWorks as error:
        return ComponentHealth(name, _UNHEALTHY, str(error))
    except (DatabaseError, StorageError, RedisError, OSError) as error:
        log.warning("component_unhealthy", component=name, error=str(error), kind=type(error).__name__)
        return ComponentHealth(name, _UNHEALTHY, "it cannot be reached")
    return ComponentHealth(name, _HEALTHY)


async def _jobs_are_done(r: Resources) -> None:
    async with r.database.autocommit() as statements:
        waiting = await store.find_oldest_event(statements)
    if waiting is not None and waiting > _BACKLOG:
        raise NobodyWorks(f"events wait for a worker since {int(waiting.total_seconds())} seconds")


async def _ping_redis(url: str) -> None:
    async with Redis.from_url(url, socket_timeout=_PATIENCE_SECONDS) as client:
        await client.ping()
