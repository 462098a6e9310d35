"""The relay: takes events from the outbox, notes the jobs that are owed for them, tells the queues.

An event leaves the outbox in the transaction that notes its jobs; a job leaves `pending_jobs` in
the transaction of its effect. What a queue forgets is told again. Any number of relays may run.
"""

import asyncio
from datetime import timedelta
from itertools import groupby
from typing import Final

import structlog
from arq import ArqRedis
from redis.exceptions import RedisError

from app.db import DatabaseError
from app.events import outbox
from app.jobs import pending
from app.resources import Resources
from workers.subscriptions import jobs_for

log = structlog.get_logger()

_BATCH: Final = 200
_POLL_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 1.0
_GATHER_SECONDS: Final = 0.25
"""Events that come in short succession share transactions and jobs."""
_PATIENCE: Final = timedelta(minutes=2)
"""A job that is still owed after this long was forgotten by its queue."""


async def run_relay(r: Resources, queues: ArqRedis) -> None:
    """Relay until cancelled, through outages of the database and of Redis."""
    while True:
        try:
            await _relay_as_told(r, queues)
        except (DatabaseError, RedisError, OSError) as error:
            log.warning("relay_paused", error=str(error), kind=type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)


async def _relay_as_told(r: Resources, queues: ArqRedis) -> None:
    """Relay at every NOTIFY; the poll stays the guarantee."""
    async with r.database.listen(outbox.CHANNEL) as wait:
        while True:
            is_busy = await relay_once(r, queues)
            await (asyncio.sleep(_GATHER_SECONDS) if is_busy else wait(_POLL_SECONDS))


async def relay_once(r: Resources, queues: ArqRedis) -> bool:
    """Relay one batch; False when nothing is left to do."""
    async with r.database.transaction() as tx:
        events = await outbox.claim(tx, _BATCH)
        owed = [(job, event) for event in events for job in jobs_for(type(event.event), r.settings)]
        if owed:
            await pending.insert(tx, owed)
    jobs = await pending.take_unqueued(r.database, patience=_PATIENCE, limit=_BATCH)
    try:
        for (queue, name), batch in groupby(sorted(jobs, key=_kind), key=_kind):
            ids = [job.id for job in batch]
            await queues.enqueue_job(name, ids, _queue_name=queue_name(queue))
    except (RedisError, OSError):
        await pending.forget_queued(r.database, [job.id for job in jobs])
        raise
    return bool(events or jobs)


def _kind(job: pending.Owed) -> tuple[str, str]:
    return job.queue, job.name


def queue_name(queue: str) -> str:
    """Return the key of a queue in Redis."""
    return f"roadstead:{queue}"
