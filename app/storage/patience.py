"""How long a storage that fails is waited out, whichever it is: docs/decisions/0025 says why."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from typing import Final

import structlog

from app.storage.driver import StorageBusy, StorageError

log = structlog.get_logger()

_SHORTEST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 3.0
_TIDYING_SECONDS: Final = 5.0
_is_hurried: Final = ContextVar("is_hurried", default=False)


class Attempts:
    """The attempts at one request: whether there is another one, and what is logged of them."""

    def __init__(self, what: str, patience: timedelta, *, now: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._patience = 0.0 if _is_hurried.get() else patience.total_seconds()
        self._now = now
        self._began = now()
        self._count = 0
        self._why = ""

    def failed(self, error: Exception) -> float:
        """Return how many seconds to wait before the next attempt; raise when there is none.

        What has passed when the time is over is found by a last attempt. There are two at least: a
        connection can have ended long before anybody notices. Raises StorageBusy, or that kind of it.
        """
        self._count += 1
        self._why = f"{type(error).__name__}: {error}"
        seconds = self._now() - self._began
        left = self._patience - seconds
        if left <= 0 and self._count > 1:
            kind = type(error) if isinstance(error, StorageBusy) else StorageBusy
            raise kind(
                f"{self._what}: given up after {self._count} attempts in {seconds:.1f} s: {self._why}"
            ) from error
        longest = min(_SHORTEST_PAUSE_SECONDS * 2.0 ** (self._count - 1), _LONGEST_PAUSE_SECONDS)
        return max(0.0, min(random.uniform(longest / 2, longest), left))  # noqa: S311 - it spreads load

    def ended(self) -> None:
        """Log what nobody else notices: a storage that failed, and answered in the end."""
        if self._count:
            log.info(
                "storage_waited_for",
                request=self._what,
                attempts=self._count + 1,
                seconds=round(self._now() - self._began, 2),
                error=self._why,
            )


@asynccontextmanager
async def tidying(seconds: float = _TIDYING_SECONDS) -> AsyncIterator[None]:
    """Do without patience what may as well fail, before a failure is told: what it leaves behind is found."""
    token = _is_hurried.set(True)
    try:
        with suppress(StorageError, TimeoutError):
            async with asyncio.timeout(seconds):
                yield
    finally:
        _is_hurried.reset(token)
