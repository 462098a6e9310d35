"""Composition root of a worker process: one arq worker per queue, and the relay beside the events queue."""

import asyncio
import json
import signal
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

import structlog
from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker
from redis.exceptions import RedisError

from app.jobs import QUEUES
from app.resources import Resources, open_resources
from app.settings import Settings
from workers.catalogue import functions_of, periodic_of
from workers.relay import queue_name, run_relay

log = structlog.get_logger()

_PAUSE_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 0.5
_POLL_SECONDS: Final = 0.1
_JOBS_AT_ONCE: Final = 10


async def work(settings: Settings, queues: Sequence[str] = QUEUES) -> None:
    """Work on the queues until SIGTERM or SIGINT, then let running jobs end within the grace period."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_resources(settings) as r, asyncio.TaskGroup() as group:
        for queue in queues:
            group.create_task(_work_on(r, queue, stop))
        if "events" in queues:
            group.create_task(run_until(stop, _relay(r)))
        log.info("worker_process_started", queues=list(queues))
    log.info("worker_process_stopped")


async def run_until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Run until the work ends by itself, or cancel it when the process is told to stop."""
    task = asyncio.create_task(work)
    waiter = asyncio.create_task(stop.wait())
    await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    while not task.done():
        # The asyncio.wait_for of Python 3.11, by which aiopg waits, drops a cancellation that comes together
        # with the answer (python/cpython#86296).
        task.cancel()
        await asyncio.wait({task}, timeout=_AGAIN_SECONDS)
    if not task.cancelled():
        task.result()


async def _relay(r: Resources) -> None:
    """Relay; start again with a fresh connection when Redis goes away."""
    while True:
        try:
            pool = await create_pool(_redis(r.settings), job_serializer=_to_json, job_deserializer=json.loads)
        except (RedisError, OSError) as error:
            log.warning("relay_waits_for_redis", error=str(error))
            await asyncio.sleep(_PAUSE_SECONDS)
            continue
        try:
            await run_relay(r, pool)
        finally:
            await pool.aclose()


async def _work_on(r: Resources, queue: str, stop: asyncio.Event) -> None:
    """Work on one queue; start again when Redis goes away."""
    while not stop.is_set():
        worker = _worker(r, queue)
        try:
            await run_until(stop, worker.async_run())
        except (RedisError, OSError) as error:
            log.warning("queue_paused", queue=queue, error=str(error))
            await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            await _drain(worker, r.settings.shutdown_grace.total_seconds())


async def _drain(worker: Worker, seconds: float) -> None:
    """Let running jobs end; those that do not are cancelled and done again by another worker."""
    worker.allow_pick_jobs = False
    if worker.tasks:
        await asyncio.wait(worker.tasks.values(), timeout=seconds)
    with suppress(RedisError, OSError, asyncio.CancelledError):
        await worker.close()


def _worker(r: Resources, queue: str) -> Worker:
    return Worker(
        functions=functions_of(queue),
        cron_jobs=periodic_of(queue),
        queue_name=queue_name(queue),
        redis_settings=_redis(r.settings),
        ctx={"resources": r},
        handle_signals=False,
        max_jobs=_JOBS_AT_ONCE,
        poll_delay=_POLL_SECONDS,
        keep_result=0,
        log_results=False,
        job_serializer=_to_json,
        job_deserializer=json.loads,
    )


def _redis(settings: Settings) -> RedisSettings:
    return RedisSettings.from_dsn(settings.redis.url)


def _to_json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, default=str).encode()
