"""Pulls that were counted are recorded when the process ends, in whatever it is then."""

import asyncio

from app.db import SQL
from app.events import ArtifactPulled
from app.events.types import wire_name
from app.manifests.pulls import Pull, PullLog
from tests.support.eventually import until
from tests.support.registry import Registry

LOCK = SQL("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
WAITING = SQL("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'outbox'::regclass")
RECORDED = SQL("SELECT count(*) FROM outbox WHERE type = %(kind)s")


def pull(tag: str) -> Pull:
    return Pull("team/app", "sha256:" + "0" * 64, tag, "alice", "127.0.0.1")


async def test_a_stop_while_pulls_are_recorded_loses_none(registry: Registry) -> None:
    database, stop = registry.resources.database, asyncio.Event()
    pulls = PullLog(database)

    async def waiting() -> int:
        async with database.autocommit() as statements:
            return int(await statements.value(WAITING))

    # A new connection prepares statements on that table and would wait for the lock, too.
    await asyncio.gather(*(database.ping() for _ in range(3)))
    async with asyncio.TaskGroup() as group, database.transaction() as tx:
        await tx.run(LOCK)
        pulls.note(pull("first"))
        group.create_task(pulls.run(stop))
        await until(waiting, lambda number: number == 1)
        pulls.note(pull("second"))
        stop.set()
    async with database.autocommit() as statements:
        assert await statements.value(RECORDED, kind=wire_name(ArtifactPulled)) == 2
