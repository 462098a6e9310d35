"""Pulls are counted in memory and recorded as events once a second: never a write on the way of a pull.

A process that is killed loses the pulls of its last second, and nothing else.
"""

import asyncio
from collections import Counter
from typing import Final

import structlog
from aiohttp import web

from app.access import Call
from app.db import Database, DatabaseError
from app.events import ArtifactPulled, Cause, Event, outbox

log = structlog.get_logger()

_PERIOD_SECONDS: Final = 1.0
_LIMIT: Final = 50_000
"""Distinct pulls kept while the database is away; more are dropped, and the log says so."""


class PullLog:
    """Counts pulls by repository, digest, tag and caller."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: Counter[tuple[str, str, str, Cause]] = Counter()

    def note(self, call: Call, digest: str, *, tag: str) -> None:
        """Count one pull."""
        if len(self._counts) < _LIMIT:
            self._counts[(call.repository, digest, tag, call.cause)] += 1

    async def flush(self) -> None:
        """Record what was counted since the last time."""
        if not self._counts:
            return
        counts, self._counts = self._counts, Counter()
        events: list[tuple[Cause, Event]] = [
            (cause, ArtifactPulled(repository_name=repository, digest=digest, tag=tag, count=count))
            for (repository, digest, tag, cause), count in counts.items()
        ]
        try:
            async with self._database.transaction() as tx:
                await outbox.record_all(tx, events)
        except DatabaseError as error:
            counts.update(self._counts)
            self._counts = counts
            log.warning("pulls_kept_back", error=str(error), distinct=len(counts))

    async def run(self) -> None:
        """Flush once a second until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(_PERIOD_SECONDS)
                await self.flush()
        finally:
            await self.flush()


PULL_LOG: Final = web.AppKey("pull_log", PullLog)
