"""How the storage does, known by few questions: docs/decisions/0024 says why."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol

import structlog

from app.storage.driver import StorageBusy, StorageError, StorageFull

log = structlog.get_logger()

_KEPT_SECONDS: Final = 10.0
_PATIENCE_SECONDS: Final = 2.0
"""After as long without an answer the storage is held to be unwell."""
_WRITTEN_SECONDS: Final = 600.0


class Checked(Protocol):
    """What a storage is asked; `StorageDriver` says what it means."""

    async def check(self) -> None:
        """Raise StorageError unless it answers."""

    async def check_writing(self) -> None:
        """Raise StorageError unless it can be written to."""


class StorageWatch:
    """Asks the storage when somebody wants to know, never twice at a time, and remembers the answer.

    At first, and now and then, the question is whether it can be written to.
    """

    def __init__(self, storage: Checked, now: Callable[[], float] = time.monotonic) -> None:
        self._storage = storage
        self._now = now
        self._error = ""
        self._answered_at = self._written_at = float("-inf")
        self._asked_at = 0.0
        self._asking: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Raise StorageError where the storage refuses to be written to; it may be busy or full for now."""
        try:
            await self._storage.check_writing()
        except (StorageBusy, StorageFull) as error:
            self._learn(str(error))
        else:
            self._written_at = self._now()

    async def ask(self) -> None:
        """Raise StorageError unless the storage does well now, or did some seconds ago."""
        if asking := self._renewed():
            # Whoever gives up leaves the question to those who wait beside him.
            await asyncio.shield(asking)
        if self._error:
            raise StorageError(self._error)

    def is_well(self) -> bool:
        """Return what is known without waiting, and see to it that it is known again."""
        is_late = self._renewed() is not None and self._now() - self._asked_at > _PATIENCE_SECONDS
        return not (is_late or self._error)

    async def end(self) -> None:
        """Ask no more."""
        if self._asking:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    def _renewed(self) -> asyncio.Task[None] | None:
        """Return what asks: a storage that does not answer is not asked again before it has."""
        if self._asking is None and self._now() - self._answered_at > _KEPT_SECONDS:
            self._asked_at = self._now()
            self._asking = asyncio.create_task(self._ask())
        return self._asking

    async def _ask(self) -> None:
        is_writing = self._asked_at - self._written_at > _WRITTEN_SECONDS
        try:
            await (self._storage.check_writing() if is_writing else self._storage.check())
        except (StorageError, OSError) as error:
            self._learn(str(error) or type(error).__name__)
        else:
            self._learn("")
            self._written_at = self._asked_at if is_writing else self._written_at
        finally:
            self._answered_at, self._asking = self._now(), None

    def _learn(self, error: str) -> None:
        if error and not self._error:
            log.warning("storage_unwell", error=error)
        elif self._error and not error:
            log.info("storage_well_again")
        self._error = error


@asynccontextmanager
async def watched(storage: Checked) -> AsyncIterator[StorageWatch]:
    """Lend what watches a storage; raise StorageError where it refuses to be written to."""
    watch = StorageWatch(storage)
    await watch.begin()
    try:
        yield watch
    finally:
        await watch.end()
