"""Pulls are counted in memory and recorded as events once a second: never a write on the way of a pull.

A process that is killed loses the pulls of its last second, and nothing else.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Final, NamedTuple

import structlog
from aiohttp import web

from app.db import Database, DatabaseError
from app.events import ArtifactPulled, Cause, Event, outbox

log = structlog.get_logger()

_PERIOD_SECONDS: Final = 1.0
_LIMIT: Final = 50_000
"""Distinct pulls kept while the database is away; more are dropped, and the log says so."""


class Pull(NamedTuple):
    """What is counted together: pulls of one manifest, by one name, by the same caller."""

    repository: str
    digest: str
    tag: str
    username: str
    address: str


class PullLog:
    """Counts pulls until they are recorded."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: Counter[Pull] = Counter()

    def note(self, pull: Pull) -> None:
        """Count one pull."""
        if len(self._counts) < _LIMIT:
            self._counts[pull] += 1

    async def flush(self) -> None:
        """Record what was counted since the last time."""
        if not self._counts:
            return
        counts, self._counts = self._counts, Counter()
        try:
            async with self._database.transaction() as tx:
                await outbox.record_all(tx, [_event(pull, count) for pull, count in counts.items()])
        except DatabaseError as error:
            counts.update(self._counts)
            self._counts = counts
            log.warning("pulls_kept_back", error=str(error), distinct=len(counts))

    async def run(self, stop: asyncio.Event) -> None:
        """Flush once a second until told to stop, and once more then."""
        while not stop.is_set():
            # Only the waiting is ever cut off: a flush that is cancelled would lose its counts.
            with suppress(TimeoutError):
                async with asyncio.timeout(_PERIOD_SECONDS):
                    await stop.wait()
            await self.flush()
        await self.flush()


def _event(pull: Pull, count: int) -> tuple[Cause, Event]:
    event = ArtifactPulled(repository_name=pull.repository, digest=pull.digest, tag=pull.tag, count=count)
    return Cause(username=pull.username, address=pull.address), event


PULL_LOG: Final = web.AppKey("pull_log", PullLog)
