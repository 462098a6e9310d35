"""The relay: takes events from the outbox, notes the jobs that are owed for them, tells the queues.

An event leaves the outbox in the transaction that notes its jobs and whom it is posted to; a job leaves
`pending_jobs` in the transaction of its effect. What a queue forgets is told again. Any number of relays
may run.
"""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final

import structlog
from arq import ArqRedis
from redis.exceptions import RedisError

from app.db import DatabaseError
from app.events import outbox
from app.jobs import DELIVER_WEBHOOKS, Job, pending, running, schedules
from app.jobs.pending import Owed
from app.resources import Resources
from app.webhooks.fan_out import fan_out, list_waited_for, may_be_posted
from workers.catalogue import OWED, SCHEDULED
from workers.queues import has_memory, remember, tell
from workers.subscriptions import jobs_for

log = structlog.get_logger()

_BATCH: Final = 200
_TOGETHER: Final = 20
"""Targets that wait are told of so many at a time: somebody may wait for an event meanwhile."""
_POLL_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 1.0
_GATHER_SECONDS: Final = 0.25
"""Events and jobs that come in short succession share transactions."""
_BREATH_SECONDS: Final = 0.02
"""The same for events, where somebody may wait for them."""
_PATIENCE: Final = timedelta(minutes=2)
"""A job that waits in a queue for so long may have been forgotten there."""
_MISSED_BEATS: Final = 3
_BY_NAME: Final = {job.name: job for job in OWED}
_SCHEDULED: Final = {job.name: job for job in SCHEDULED}


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
        since = looked_at = told_at = time.monotonic()
        while True:
            claimed = await relay_events(r, queues)
            told, now = None, time.monotonic()
            if now - told_at >= _GATHER_SECONDS:
                told, told_at = await tell_jobs(r, queues), now
            # Who wakes the relay without an event has made something due: a test, a replay, a target resumed.
            if not claimed or now - looked_at > _POLL_SECONDS:
                looked_at = now
                await tell_of_webhooks(r, queues)
                await look_after(r, is_settled=now - since > _patience(r).total_seconds())
            await asyncio.sleep(_BREATH_SECONDS if await may_be_posted(r) else _GATHER_SECONDS)
            if max(claimed, told or 0) < _BATCH:
                await wait(_POLL_SECONDS if claimed == told == 0 else _GATHER_SECONDS)


async def relay_events(r: Resources, queues: ArqRedis) -> int:
    """Take a batch of events from the outbox, note what they owe, and return how many there were."""
    async with r.database.transaction() as tx:
        events = await outbox.claim(tx, _BATCH)
        owed = [(job, event) for event in events for job in jobs_for(type(event.event), r.settings)]
        if owed:
            await pending.insert(tx, owed)
        targets = await fan_out(tx, r, events)
    if targets:
        await tell(queues, DELIVER_WEBHOOKS, targets)
    return len(events)


async def tell_jobs(r: Resources, queues: ArqRedis) -> int:
    """Tell the queues of a batch of jobs that are due, and return how many there were."""
    if not await has_memory(queues):
        await pending.forget_told(r.database)
        await remember(queues)
    jobs = await pending.take_due(r.database, OWED, patience=_PATIENCE, limit=_BATCH)
    try:
        for job, ids in _runs(jobs):
            await tell(queues, job, ids)
    except (RedisError, OSError):
        await pending.forget_told(r.database, [job.id for job in jobs])
        raise
    return len(jobs)


async def tell_of_webhooks(r: Resources, queues: ArqRedis) -> None:
    """Tell of what is due and nobody sends: retries, and what a worker or a queue lost."""
    targets = await list_waited_for(r)
    for start in range(0, len(targets), _TOGETHER):
        # By a name, so that it is told once, as long as no worker comes.
        await asyncio.gather(
            *(
                tell(queues, DELIVER_WEBHOOKS, [target_id], name=f"{DELIVER_WEBHOOKS.name}:{target_id}")
                for target_id in targets[start : start + _TOGETHER]
            )
        )


async def look_after(r: Resources, *, is_settled: bool) -> None:
    """Fire the schedules that are due, and give to others what dead processes were running.

    After the database was away nobody has shown life for a while, so that has to be settled first.
    """
    await schedules.fire(r.database, _SCHEDULED)
    if is_settled:
        for job in await running.take_over(r.database, patience=_patience(r)):
            is_last = job.is_set_aside
            (log.error if is_last else log.warning)("job_crashed", job_id=job.id, is_set_aside=is_last)


def _runs(jobs: list[Owed]) -> Iterator[tuple[Job, list[str]]]:
    """Yield what is to be told: a batch of events, a scheduled job, or that there are suspects of a kind."""
    for name, of_kind in groupby(sorted(jobs, key=_place), key=attrgetter("name")):
        job, suspects = _BY_NAME[name], False
        ids = []
        for owed in of_kind:
            if owed.is_suspect:
                suspects = True
            else:
                ids.append(owed.id)
        size = 1 if job in SCHEDULED else _BATCH
        yield from ((job, ids[start : start + size]) for start in range(0, len(ids), size))
        if suspects:
            yield job, []


def _place(owed: Owed) -> int:
    return OWED.index(_BY_NAME[owed.name])


def _patience(r: Resources) -> timedelta:
    return r.settings.workers.heartbeat * _MISSED_BEATS
