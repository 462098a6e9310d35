"""Composition root of a worker process: one arq worker per queue, and the relay beside the events queue."""

import asyncio
import os
import signal
import socket
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import uuid4

import structlog
from arq.worker import Worker
from redis.exceptions import RedisError

from app.db import DatabaseError
from app.jobs import QUEUES, QUEUES_IN_USE, running, schedules
from app.jobs.running import Process
from app.resources import Resources, open_resources
from app.settings import Settings
from workers.catalogue import SYSTEM_SCHEDULES
from workers.queues import PromptWorker, open_queues
from workers.relay import run_relay
from workers.running import Runner

log = structlog.get_logger()

_PAUSE_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 0.5


async def work(settings: Settings, queues: Sequence[str] = QUEUES) -> None:
    """Work on the queues until SIGTERM or SIGINT, then let running jobs end within the grace period."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_resources(settings) as r:
        runner = Runner(r, _process(settings, queues), stop=stop)
        await schedules.seed(r.database, SYSTEM_SCHEDULES)
        await runner.beat()
        try:
            await _work_with(runner, stop)
        finally:
            with suppress(DatabaseError):
                await running.leave(r.database, runner.process.id)
    log.info("worker_process_stopped")


async def _work_with(runner: Runner, stop: asyncio.Event) -> None:
    """Work on the queues; show life until the last job has ended."""
    is_over = asyncio.Event()
    queues = runner.process.queues
    work = [_work_on(runner, queue, stop) for queue in queues]
    if "events" in queues:
        work.append(run_until(stop, _relay(runner.r)))
    log.info("worker_process_started", queues=list(queues), worker_id=str(runner.process.id))
    async with asyncio.TaskGroup() as life:
        life.create_task(run_until(is_over, _show_life(runner)))
        try:
            await _together(work)
        finally:
            is_over.set()


async def _together(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for one in work:
            group.create_task(one)


def _process(settings: Settings, queues: Sequence[str]) -> Process:
    return Process(
        id=uuid4(),
        host=socket.gethostname(),
        pid=os.getpid(),
        queues=tuple(queues),
        concurrency=sum(map(settings.workers.concurrency, queues)),
    )


async def _show_life(runner: Runner) -> None:
    while True:
        try:
            await runner.beat()
        except DatabaseError as error:
            log.warning("heartbeat_failed", error=str(error))
        await asyncio.sleep(runner.r.settings.workers.heartbeat.total_seconds())


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
            queues = await open_queues(r.settings.redis.url)
        except (RedisError, OSError) as error:
            log.warning("relay_waits_for_redis", error=str(error))
            await asyncio.sleep(_PAUSE_SECONDS)
            continue
        try:
            await run_relay(r, queues)
        finally:
            await queues.aclose()


async def _work_on(runner: Runner, queue: str, stop: asyncio.Event) -> None:
    """Work on one queue; start again when Redis goes away."""
    if queue not in QUEUES_IN_USE:
        await stop.wait()
    while not stop.is_set():
        worker = PromptWorker(runner, queue)
        try:
            await run_until(stop, worker.async_run())
        except (RedisError, OSError) as error:
            log.warning("queue_paused", queue=queue, error=str(error))
            await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            await _drain(worker, runner.r.settings.shutdown_grace.total_seconds())


async def _drain(worker: Worker, seconds: float) -> None:
    """Let running jobs end; those that do not are cancelled and done again by another worker."""
    worker.allow_pick_jobs = False
    if worker.tasks:
        await asyncio.wait(worker.tasks.values(), timeout=seconds)
    with suppress(RedisError, OSError, asyncio.CancelledError):
        await worker.close()
