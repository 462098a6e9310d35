"""Queues in Redis: how workers are told, and how they notice at once."""

import asyncio
import json
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, Final, cast

from arq import ArqRedis, create_pool
from arq.connections import RedisSettings
from arq.worker import Worker

from app.jobs import Job
from app.resources import redis_key
from workers.catalogue import NUDGED_QUEUES, functions_of
from workers.running import Runner

_LOOK_SECONDS: Final = 1
_IN_PROGRESS_SECONDS: Final = 15.0
_NO_LIMIT_SECONDS: Final = 30 * 24 * 3600
_BELLS: Final = 100
_NUDGES: Final = 10_000
_TOLD: Final = redis_key("told")


async def open_queues(url: str) -> ArqRedis:
    """Connect to the queues."""
    return await create_pool(
        RedisSettings.from_dsn(url), job_serializer=_to_json, job_deserializer=json.loads
    )


async def tell(queues: ArqRedis, job: Job, *arguments: object, name: str | None = None) -> None:
    """Put a job into its queue, once under each name, and ring for a worker."""
    await queues.enqueue_job(job.name, *arguments, _queue_name=queue_name(job.queue), _job_id=name)
    async with queues.pipeline(transaction=False) as pipe:
        pipe.lpush(_bell(job.queue), 1)
        pipe.ltrim(_bell(job.queue), 0, _BELLS)
        await pipe.execute()


async def has_memory(queues: ArqRedis) -> bool:
    """Whether Redis still knows what it was told; False after it was emptied, or began anew."""
    return bool(await queues.exists(_TOLD))


async def remember(queues: ArqRedis) -> None:
    """Leave the mark that `has_memory` looks for."""
    await queues.set(_TOLD, 1)


def queue_name(queue: str) -> str:
    """Return the key of a queue in Redis."""
    return redis_key(queue)


def _bell(queue: str) -> str:
    return redis_key(queue, "bell")


class PromptWorker(Worker):
    """A worker of arq that looks into its queue when the bell rings or a job ends, not all the time."""

    def __init__(self, runner: Runner, queue: str) -> None:
        settings = runner.r.settings
        super().__init__(
            functions=functions_of(queue, runner),
            queue_name=queue_name(queue),
            redis_settings=RedisSettings.from_dsn(settings.redis.url),
            handle_signals=False,
            max_jobs=_NUDGES if queue in NUDGED_QUEUES else settings.workers.concurrency(queue),
            job_timeout=_NO_LIMIT_SECONDS,  # the runner has one for each job
            keep_result=0,
            log_results=False,
            job_serializer=_to_json,
            job_deserializer=json.loads,
        )
        # Who runs what, PostgreSQL knows. Here it only keeps what a crash leaves from staying at the head.
        self.in_progress_timeout_s = _IN_PROGRESS_SECONDS
        self._bell = _bell(queue)
        self._nudged = asyncio.Event()

    async def main(self) -> None:
        """Work until cancelled."""
        self._pool = await create_pool(
            self.redis_settings,
            job_deserializer=self.job_deserializer,
            job_serializer=self.job_serializer,
            default_queue_name=self.queue_name,
        )
        self.ctx["redis"] = self._pool
        listener = asyncio.create_task(self._listen())
        listener.add_done_callback(lambda _: self._nudged.set())
        try:
            while not listener.done():
                await self._look()
            listener.result()
        finally:
            listener.cancel()

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Start jobs, but none that runs here already: the mark of that in Redis does not last as long."""
        await super().start_jobs([job_id for job_id in job_ids if job_id.decode() not in self.tasks])

    async def _look(self) -> None:
        self._nudged.clear()
        await self._poll_iteration()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._nudged.wait()

    async def _listen(self) -> None:
        while True:
            if await cast("Awaitable[object]", self.pool.blpop([self._bell], timeout=_LOOK_SECONDS)):
                self._nudged.set()

    def _release_sem_dec_counter_on_complete(self) -> None:
        super()._release_sem_dec_counter_on_complete()
        self._nudged.set()


def _to_json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, default=str).encode()
