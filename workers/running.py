"""Running a job: noted before it begins, so that a crash is known, and after it failed."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

import structlog

from app.jobs import Job, running, runs
from app.jobs.running import Process, Started
from app.logging import keeping_lines
from app.resources import Resources

log = structlog.get_logger()

Run: TypeAlias = Callable[..., Awaitable[Any]]
Work: TypeAlias = Callable[[Sequence[Started]], Awaitable[None]]

_PAUSE: Final = timedelta(seconds=10)
_ERROR_CHARACTERS: Final = 1_000
_FAILURES: Final = 3
"""So many suspects in a row that fail share a cause: the others need not be tried at once."""


class _Kind(NamedTuple):
    job: Job
    work: Work
    is_scheduled: bool


class Runner:
    """What one worker process runs, until `stop` is set."""

    def __init__(self, r: Resources, process: Process, *, stop: asyncio.Event | None = None) -> None:
        self.process = process
        self._stop = stop or asyncio.Event()
        self.r = r
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._busy: Counter[Job] = Counter()
        self._failing: set[Job] = set()
        self._crashed: dict[Job, _Kind] = {}
        self._runs_crashed = False

    def for_events(self, job: Job, run: Run) -> Run:
        """Return what a queue calls for a job that is owed for events: it settles what it did."""

        async def work(started: Sequence[Started]) -> None:
            await run({"resources": self.r}, [one.id for one in started])

        return self._called(_Kind(job, work, is_scheduled=False))

    def scheduled(self, job: Job, run: Run) -> Run:
        """Return what a queue calls for a job that has been scheduled."""

        async def work(started: Sequence[Started]) -> None:
            for one in started:
                await run({"resources": self.r, "vendor_id": one.vendor_id})
                await running.finish(self.r.database, one.id, self.process.id)

        return self._called(_Kind(job, work, is_scheduled=True))

    def nudged(self, job: Job, run: Run) -> Run:
        """Return what a queue calls for a job that finds out by itself what there is to do."""
        context: dict[str, Any] = {"resources": self.r, "stop": self._stop}

        async def in_time(*arguments: object) -> None:
            async with asyncio.timeout(job.timeout.total_seconds()):
                await run(context, *arguments)

        async def called(_context: dict[str, Any], *arguments: object) -> None:
            one = Started(job.name, None, datetime.now(UTC))
            with keeping_lines() as kept:
                outcome, error = await self._end_of(asyncio.create_task(in_time(*arguments)), job, [])
            if outcome != "success":
                await self._keep(job, one, outcome=outcome, error=error, lines=kept.text)

        return called

    async def beat(self) -> None:
        """Show that the process lives; cancel what somebody wants stopped."""
        stopped = await running.beat(self.r.database, self.process, list(self._tasks), pause=_PAUSE)
        for job_id in stopped:
            if job_id in self._tasks:
                self._tasks[job_id].cancel()

    def _called(self, kind: _Kind) -> Run:
        async def called(_context: dict[str, Any], ids: list[str]) -> None:
            if not ids:
                await self._run_crashed(kind)
                await self._run_suspects(kind, has_crashed=False)
                return
            if kind.job in self._failing and self._busy[kind.job]:
                # Such as what waits for a collector that is gone: others need the room. It is told again.
                return
            started = await running.start(self.r.database, ids, self.process.id)
            if started:
                await self._attempt(kind, started)

        return called

    async def _run_crashed(self, kind: _Kind) -> None:
        """Run what crashed of all kinds one by one, so that the next crash is the fault of the one that runs.

        Who comes while somebody does so leaves it to them.
        """
        self._crashed[kind.job] = kind
        if self._runs_crashed:
            return
        self._runs_crashed = True
        try:
            while self._crashed:
                _, one = self._crashed.popitem()
                await self._run_suspects(one, has_crashed=True)
        finally:
            self._runs_crashed = False

    async def _run_suspects(self, kind: _Kind, *, has_crashed: bool) -> None:
        """Run what failed or crashed, one by one, while there is some and not everything fails."""
        failures = 0
        while failures < _FAILURES:
            one = await running.start_suspect(
                self.r.database, kind.job.name, self.process.id, has_crashed=has_crashed
            )
            if one is None:
                return
            failures = 0 if await self._attempt(kind, [one]) else failures + 1

    async def _attempt(self, kind: _Kind, started: Sequence[Started]) -> bool:
        """Run jobs that have been noted as started; False when they raised."""
        ids = [one.id for one in started]
        with keeping_lines() as kept:
            task = asyncio.create_task(self._in_time(kind, started))
            self._tasks.update(dict.fromkeys(ids, task))
            self._busy[kind.job] += 1
            try:
                outcome, error = await self._end_of(task, kind.job, ids)
            finally:
                self._busy[kind.job] -= 1
                for job_id in ids:
                    del self._tasks[job_id]
        if kind.is_scheduled or outcome != "success":
            await self._keep(kind.job, started[0], outcome=outcome, error=error, lines=kept.text)
        has_failed = outcome == "error"
        (self._failing.add if has_failed else self._failing.discard)(kind.job)
        return not has_failed

    async def _keep(self, job: Job, one: Started, *, outcome: str, error: str, lines: str) -> None:
        run = runs.Run(
            job_id=one.id,
            name=job.name,
            vendor_id=one.vendor_id,
            worker_id=self.process.id,
            started_at=one.started_at,
            outcome=outcome,
            error=error,
            log=lines,
        )
        await runs.insert(self.r.database, run)

    async def _in_time(self, kind: _Kind, started: Sequence[Started]) -> None:
        async with asyncio.timeout(kind.job.timeout.total_seconds()):
            await kind.work(started)

    async def _end_of(self, task: asyncio.Task[None], job: Job, ids: list[str]) -> tuple[str, str]:
        """Wait for jobs, note what they did not settle themselves, and return outcome and error."""
        try:
            await task
        except asyncio.CancelledError:
            if _is_cancelled_itself():
                raise
            await running.set_stopped_aside(self.r.database, ids, self.process.id)
            return "stopped", ""
        except Exception as error:
            said = f"{type(error).__name__}: {error}"[:_ERROR_CHARACTERS]
            log.warning("job_failed", job=job.name, jobs=len(ids), error=said, exc_info=error)
            if ids:  # none is owed for a nudge
                await self._failed(job, ids, said)
            return "error", said
        return "success", ""

    async def _failed(self, job: Job, ids: list[str], error: str) -> None:
        tries = self.r.settings.workers.tries(job.queue)
        for one in await running.fail(self.r.database, ids, self.process.id, error=error, tries=tries):
            if one.is_set_aside:
                log.error("job_set_aside", job_id=one.id, error=error)


def _is_cancelled_itself() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
