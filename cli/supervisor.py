"""Keeps child processes running, and stops them group by group.

    async def flow(supervisor):
        async with supervisor.group() as servers, supervisor.group() as web:
            await servers.start(postgres.program).until(postgres.is_ready)
            web.start(...)
            ...

A child that ends is started again, at first at once and then ever more slowly. A request to stop
(SIGTERM, SIGINT, SIGHUP) cancels the flow wherever it stands, and leaving the `async with` ends the
children: here web, then servers. A second request cuts their grace short.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from cli.programs import Program, StartError, describe_exit, start
from cli.report import Report

Result = TypeVar("Result")

_POLL_SECONDS = 0.01
_PATIENCE_SECONDS = 10.0  # after this long, say what is waited for
_STEADY_SECONDS = 5.0  # who lived this long did start
_ABRUPT_SECONDS = 10.0  # until nothing but SIGKILL is left
_HOPELESS = 5  # failures in a row
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 10.0
WRONG_SETTING = 2  # the exit status by which our programs say that another try is of no use


class Supervisor:
    """What the children of this process have in common: signals in, reports out."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.hurry = asyncio.Event()
        self.is_settled = False
        self._running: set[Running] = set()
        self._flow: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    async def supervise(self, flow: Callable[["Supervisor"], Coroutine[Any, Any, None]]) -> None:
        """Run a flow until it ends, is asked to stop, or is let down by a child that cannot start."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        for stop in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(stop, self._stop)
        self._flow = asyncio.create_task(flow(self))
        with contextlib.suppress(asyncio.CancelledError):
            await self._flow
        if self._failure:
            raise self._failure

    @asynccontextmanager
    async def group(self) -> AsyncIterator["Group"]:
        """Open a group of children that are stopped together at the end of the block."""
        group = Group(self)
        try:
            yield group
        finally:
            await group.stop()

    async def until_stopped(self) -> None:
        """Wait for the request to stop; from here on no child is given up."""
        self.is_settled = True
        await asyncio.get_running_loop().create_future()

    async def patiently(self, name: str, ready: Coroutine[Any, Any, Result]) -> Result:
        """Wait until somebody is ready, and say so where that takes long."""
        waiting = asyncio.create_task(ready)
        try:
            while not waiting.done():
                await asyncio.wait([waiting], timeout=_PATIENCE_SECONDS)
                if not waiting.done():
                    self.report(f"Still waiting for {name}.")
            return waiting.result()
        finally:
            waiting.cancel()

    def launch(self, program: Program) -> "Running":
        """Start a process and take notice of its end."""
        running = Running(program)
        self._running.add(running)
        running.ended.add_done_callback(lambda _: self._running.discard(running))
        return running

    def give_up(self, failure: BaseException) -> None:
        """Stop everything for this reason."""
        if self._flow and not self._flow.cancelling():
            self._failure = failure
            self._flow.cancel()

    def _stop(self) -> None:
        if self._flow and not self._flow.cancelling():
            self._flow.cancel()
        else:
            self.hurry.set()

    def _reap(self) -> None:
        for running in tuple(self._running):
            running.reap()


class Running:
    """One process, from its start to its end."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._process = start(program)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def reap(self) -> None:
        """Notice the end, if it has come."""
        status = self._process.poll()
        if status is not None and not self.ended.done():
            self.ended.set_result(status)

    async def end(self) -> int:
        """Wait for the end and return the status; being cancelled meanwhile changes nothing."""
        await asyncio.wait([self.ended])
        return self.ended.result()

    async def stop(self, hurry: asyncio.Event) -> None:
        """Ask the process to end, less and less kindly: for when there is a hurry or its grace is over."""
        self._process.send_signal(self.program.stop_signal)
        hurried = asyncio.create_task(hurry.wait())
        either: tuple[asyncio.Future[Any], ...] = (self.ended, hurried)
        await asyncio.wait(either, timeout=self.program.grace, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not self.ended.done():
            self._process.send_signal(self.program.abrupt_signal)
            await asyncio.wait([self.ended], timeout=_ABRUPT_SECONDS)
        self._process.kill()
        await self.end()


class Child:
    """A program that is kept running."""

    def __init__(self, program: Program, supervisor: Supervisor) -> None:
        self.program = program
        self._supervisor = supervisor
        self._running = supervisor.launch(program)
        self._failures = 0
        self._keeping = asyncio.create_task(self._keep())
        self._keeping.add_done_callback(self._on_kept)

    @property
    def pid(self) -> int:
        """The id of its process of the moment."""
        return self._running.pid

    async def until(self, is_ready: Callable[[int], bool]) -> None:
        """Wait until the process with this id is ready."""

        async def ready() -> None:
            while not is_ready(self.pid):  # noqa: ASYNC110 - another process has no asyncio.Event for us
                await asyncio.sleep(_POLL_SECONDS)

        await self._supervisor.patiently(self.program.name, ready())

    async def stop(self) -> None:
        """End the process and do not start it again."""
        self._keeping.cancel()
        await asyncio.wait([self._keeping])
        await self._running.stop(self._supervisor.hurry)

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            status = await self._running.end()
            self._failures = 1 if loop.time() - began > _STEADY_SECONDS else self._failures + 1
            pause = min(_FIRST_PAUSE_SECONDS * 2 ** (self._failures - 1), _LONGEST_PAUSE_SECONDS)
            self._tell(
                describe_exit(status),
                pause,
                is_hopeless=self._failures >= _HOPELESS or status == WRONG_SETTING,
            )
            await asyncio.sleep(pause)
            began = loop.time()
            self._running = self._supervisor.launch(self.program)

    def _tell(self, how: str, pause: float, *, is_hopeless: bool) -> None:
        name, hint = self.program.name, self.program.hint
        if not is_hopeless:
            self._supervisor.report(f"{name} {how}. Starting it again.")
        elif self._supervisor.is_settled:
            again = f"{self._failures} times in a row. Starting it again in {pause:.1f} s."
            self._supervisor.report(f"{name} {how}, {again} {hint}")
        else:
            raise StartError(f"{name} cannot be started: it {how}. {hint}")

    def _on_kept(self, keeping: asyncio.Task[None]) -> None:
        if not keeping.cancelled() and (failure := keeping.exception()):
            self._supervisor.give_up(failure)


class Group:
    """Children that are stopped together."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._members: list[Child] = []
        self._single: list[Running] = []

    def start(self, program: Program) -> Child:
        """Start a program and keep it running."""
        child = Child(program, self._supervisor)
        self._members.append(child)
        return child

    async def run(self, program: Program) -> None:
        """Run a program that ends by itself; StartError if it fails."""
        running = self._supervisor.launch(program)
        self._single.append(running)
        status = await running.end()
        if status:
            raise StartError(f"{program.name} {describe_exit(status)}. {program.hint}")

    async def stop(self) -> None:
        """Ask all of them to end, and wait until they have."""
        hurry = self._supervisor.hurry
        await asyncio.gather(
            *(child.stop() for child in self._members), *(running.stop(hurry) for running in self._single)
        )
