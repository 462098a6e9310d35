"""Running a job: noted before it begins, so that a crash is known, and after it failed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final, TypeAlias

import structlog

from app.jobs import Job, running
from app.jobs.running import Process, Started
from app.resources import Resources

log = structlog.get_logger()

Run: TypeAlias = Callable[..., Awaitable[Any]]
Work: TypeAlias = Callable[[Sequence[Started]], Awaitable[None]]

_PAUSE: Final = timedelta(seconds=10)
_FAILURES: Final = 3
"""So many suspects in a row that fail share a cause: the others need not be tried at once."""


class Runner:
    """What one worker process runs."""

    def __init__(self, r: Resources, process: Process) -> None:
        self.process = process
        self.r = r
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def for_events(self, job: Job, run: Run) -> Run:
        """Return what a queue calls for a job that is owed for events: it settles what it did."""

        async def work(started: Sequence[Started]) -> None:
            await run({"resources": self.r}, [one.id for one in started])

        return self._called(job, work)

    def scheduled(self, job: Job, run: Run) -> Run:
        """Return what a queue calls for a job that has been scheduled."""

        async def work(started: Sequence[Started]) -> None:
            for one in started:
                await run({"resources": self.r, "vendor_id": one.vendor_id})
                await running.finish(self.r.database, one.id, self.process.id)

        return self._called(job, work)

    def nudged(self, job: Job, run: Run) -> Run:
        """Return what a queue calls for a job that finds out by itself what there is to do."""
        context: dict[str, Any] = {"resources": self.r}

        async def called(_context: dict[str, Any], *arguments: object) -> None:
            async with asyncio.timeout(job.timeout.total_seconds()):
                await run(context, *arguments)

        return called

    def _called(self, job: Job, work: Work) -> Run:
        async def called(_context: dict[str, Any], ids: list[str]) -> None:
            if not ids:
                await self._run_suspects(job, work)
                return
            started = await running.start(self.r.database, ids, self.process.id)
            if started:
                await self._attempt(job, work, started)

        return called

    async def _run_suspects(self, job: Job, work: Work) -> None:
        """Run what failed or crashed, one by one, while there is some and not everything fails."""
        failures = 0
        while failures < _FAILURES:
            one = await running.start_suspect(self.r.database, job.name, self.process.id)
            if one is None:
                return
            failures = 0 if await self._attempt(job, work, [one]) else failures + 1

    async def _attempt(self, job: Job, work: Work, started: Sequence[Started]) -> bool:
        """Run jobs that have been noted as started; False when they raised."""
        ids = [one.id for one in started]
        task = asyncio.create_task(self._in_time(job, work, started))
        self._tasks.update(dict.fromkeys(ids, task))
        try:
            await task
        except asyncio.CancelledError:
            if _is_cancelled_itself():
                raise
            await running.set_stopped_aside(self.r.database, ids, self.process.id)
        except Exception as error:  # noqa: BLE001 - whatever a job raises is its failure, not that of the process
            await self._failed(job, ids, error)
            return False
        finally:
            for job_id in ids:
                del self._tasks[job_id]
        return True

    async def _in_time(self, job: Job, work: Work, started: Sequence[Started]) -> None:
        async with asyncio.timeout(job.timeout.total_seconds()):
            await work(started)

    async def _failed(self, job: Job, ids: list[str], error: Exception) -> None:
        log.warning("job_failed", job=job.name, ids=len(ids), error=repr(error), exc_info=error)
        tries = self.r.settings.workers.tries
        told = f"{type(error).__name__}: {error}"
        db = self.r.database
        for one in await running.fail(db, ids, self.process.id, error=told[:1_000], tries=tries):
            if one.is_set_aside:
                log.error("job_set_aside", job_id=one.id, error=told)

    async def beat(self) -> None:
        """Show that the process lives; cancel what somebody wants stopped."""
        stopped = await running.beat(self.r.database, self.process, list(self._tasks), pause=_PAUSE)
        for job_id in stopped:
            if job_id in self._tasks:
                self._tasks[job_id].cancel()


def _is_cancelled_itself() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
