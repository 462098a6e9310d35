"""Worker processes that are killed, stopped and many; jobs that kill them; a Redis that forgets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from app.db import SQL
from app.jobs import FORWARD_AUDIT_LOG
from app.jobs.running import CRASHES
from app.resources import Resources, open_resources
from app.settings import Settings
from tests.conformance.serving import environment_for
from tests.support.eventually import pass_time, until
from tests.support.jobs import owe, run, states, value
from tests.support.roadstead import RunningRoadstead, roadstead

pytestmark = pytest.mark.slow

# A row of the audit log that is never written: whoever writes it hangs, until the test kills the process.
POISON = SQL("""
    CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_sleep(60);
        RETURN NEW;
    END
    $$
""")
TRIGGER = SQL("""
    CREATE TRIGGER hang BEFORE INSERT ON audit_logs
    FOR EACH ROW WHEN (NEW.resource LIKE '%%poison') EXECUTE FUNCTION hang()
""")
HANGS = SQL("SELECT worker_id FROM pending_jobs WHERE id = %(job_id)s")
AUDITED = SQL("SELECT count(*) FROM audit_logs")
WORKERS = SQL("SELECT count(*) FROM workers")
QUEUES = SQL("SELECT queues FROM workers")
OWED = SQL("SELECT count(*) FROM pending_jobs WHERE name = 'write_audit_log'")
FIRED = SQL("SELECT count(*) FROM job_runs WHERE name = 'recount_quotas' AND outcome = 'success'")
DUE = SQL("UPDATE schedules SET next_at = now() - interval '1 day' WHERE job = 'recount_quotas'")
ONCE = SQL("UPDATE schedules SET cron = '0 0 0 29 2 *', next_at = NULL WHERE job = 'recount_quotas'")

Start = Callable[..., AbstractContextManager[RunningRoadstead]]


@pytest.fixture
async def r(settings: Settings) -> AsyncIterator[Resources]:
    """On a database of its own, which processes of the test work on."""
    async with open_resources(settings) as opened:
        yield opened


@pytest.fixture
def start(database_url: str, redis_url: str, tmp_path: Path) -> Start:
    settings = {
        "redis_url": redis_url,
        "workers_heartbeat": "0.3",
        "shutdown_grace": "0.5",
        "database_statement_timeout": "2",
    }

    def start(*arguments: str, **further: str) -> AbstractContextManager[RunningRoadstead]:
        environment = environment_for(database_url, tmp_path, **settings, **further)
        output = tmp_path / f"worker-{uuid4().hex}"
        return roadstead("work", *arguments, output=output, environment=environment)

    return start


@pytest.fixture
def deaf_address() -> Iterator[str]:
    """An address where connections are neither taken nor refused, since as many wait as may."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        yield "tcp://{}:{}".format(*listener.getsockname())


async def until_hangs(r: Resources, job_id: str, *, earlier: object = None) -> object:
    """Wait until the job runs, not in an earlier process, and return where."""

    async def look() -> object:
        async with r.database.autocommit() as statements:
            return await statements.value(HANGS, job_id=job_id)

    return await until(look, lambda worker_id: worker_id not in {None, earlier})


async def test_job_that_kills_its_process_is_set_aside_and_takes_no_other_with_it(
    r: Resources, start: Start
) -> None:
    await run(r, POISON)
    await run(r, TRIGGER)
    poison, *others = await owe(r, "poison", *map(str, range(20)))
    earlier: object = None
    for _ in range(CRASHES):
        with start() as worker:
            earlier = await until_hangs(r, poison, earlier=earlier)
            worker.kill()
    with start() as worker:
        seen = await until(lambda: states(r), lambda seen: poison in seen and seen[poison]["is_set_aside"])
        assert seen[poison]["crashes"] == CRASHES
        assert await until(lambda: value(r, AUDITED), lambda count: count == len(others))
        assert "job_crashed" in worker.said


async def test_emptying_redis_again_and_again_loses_nothing(
    r: Resources, start: Start, redis_url: str
) -> None:
    async with Redis.from_url(redis_url) as redis:
        with start():
            for number in range(10):
                await owe(r, *(f"{number}-{one}" for one in range(50)))
                await redis.flushall()
            await until(lambda: value(r, OWED), lambda owed: owed == 0)
    assert await value(r, AUDITED) == 500


async def test_process_that_is_stopped_hands_back_what_it_cannot_end(
    r: Resources, start: Start, deaf_address: str
) -> None:
    (job_id,) = await owe(r, "a", job=FORWARD_AUDIT_LOG)
    with start(audit_forward_to=deaf_address) as worker:
        await until_hangs(r, job_id)
        assert await value(r, WORKERS) == 1
        assert worker.stop() == 0, worker.said
    state = (await states(r))[job_id]
    assert (state["runs"], state["crashes"], state["failures"]) == (False, 0, 0)
    assert await value(r, WORKERS) == 0


async def test_process_for_queues_that_have_no_jobs_yet_waits_for_its_end(r: Resources, start: Start) -> None:
    with start("--queue", "scans", "--queue", "replication") as worker:
        assert await until(lambda: value(r, QUEUES), bool) == ["scans", "replication"]
        assert worker.stop() == 0, worker.said
    assert await value(r, WORKERS) == 0


async def test_schedule_comes_once_for_three_processes(r: Resources, start: Start) -> None:
    with ExitStack() as stack:
        workers = [stack.enter_context(start()) for _ in range(3)]
        await until(lambda: value(r, WORKERS), lambda count: count == 3)
        before = int(await until(lambda: value(r, FIRED), bool))
        await run(r, ONCE)
        for expected in range(before + 1, before + 4):
            await run(r, DUE)
            while await value(r, FIRED) < expected:
                await pass_time(0.02)
        stopped = await asyncio.gather(*(asyncio.to_thread(worker.stop) for worker in workers))
    assert stopped == [0, 0, 0]
    assert await value(r, FIRED) == before + 3
