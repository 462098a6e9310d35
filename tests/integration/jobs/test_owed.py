"""Jobs that are owed: told, started, failed, crashed, set aside; and schedules that fire once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from arq import ArqRedis
from msgspec.structs import replace

from app.db import SQL
from app.jobs import COUNT_PULLS, DELIVER_WEBHOOKS, pending, running, runs
from app.resources import Resources
from tests.support.jobs import (
    COME,
    JOB,
    PATIENCE,
    awaited,
    owe,
    process,
    run,
    settle,
    states,
    told,
    value,
)
from workers.queues import has_memory, open_queues, queue_name
from workers.relay import tell_jobs
from workers.running import Runner

TRIES = 5
DIE = SQL("UPDATE workers SET heartbeat_at = now() - interval '1 hour'")
PAUSE = SQL("INSERT INTO paused_jobs (name) VALUES (%(name)s)")
RESUME = SQL("DELETE FROM paused_jobs")
STOP = SQL("UPDATE pending_jobs SET stop_at = now()")
WORKERS = SQL("SELECT count(*) FROM workers")


@pytest.fixture
async def queues(redis_url: str) -> AsyncIterator[ArqRedis]:
    opened = await open_queues(redis_url)
    yield opened
    await opened.aclose()


async def test_what_fails_is_tried_later_and_later_and_then_set_aside(r: Resources) -> None:
    (job_id,) = await owe(r, "poison")

    async def fails(_context: dict[str, Any], _ids: list[str]) -> None:
        raise ValueError("no good")

    settings = replace(r.settings, workers=replace(r.settings.workers, events_tries=TRIES))
    called = Runner(replace(r, settings=settings), process()).for_events(JOB, fails)
    pauses = []
    for number in range(TRIES):
        (owed,) = await told(r)
        assert owed.is_suspect == (number > 1)
        await called({}, [] if owed.is_suspect else [job_id])
        state = (await states(r))[job_id]
        assert (state["failures"], state["error"], state["runs"]) == (
            number + 1,
            "ValueError: no good",
            False,
        )
        pauses.append(state["told_in"])
    assert (await states(r))[job_id]["is_set_aside"]
    assert pauses[0] < 2
    assert 4 <= pauses[-2] <= 12
    assert not await told(r)


async def test_what_fails_in_a_batch_is_tried_by_itself_and_the_others_are_done(r: Resources) -> None:
    good, poison, better = await owe(r, "good", "poison", "better")
    batches = []

    async def work(_context: dict[str, Any], ids: list[str]) -> None:
        batches.append(len(ids))
        if poison in ids:
            raise ValueError
        await settle(r, ids)

    called = Runner(r, process()).for_events(JOB, work)
    for _ in range(2):
        await called({}, [owed.id for owed in await told(r)])
    assert all(owed.is_suspect for owed in await told(r))
    assert not await running.start(r.database, [good, poison, better], uuid4())
    await called({}, [])
    assert sorted(batches) == [1, 1, 1, 3, 3]
    assert {good, poison, better} - set(await states(r)) == {good, better}


async def test_suspects_are_left_alone_for_now_when_all_of_them_fail(r: Resources) -> None:
    await owe(r, *"abcde")
    attempts = []

    async def fails(_context: dict[str, Any], ids: list[str]) -> None:
        attempts.append(ids)
        raise OSError

    called = Runner(r, process()).for_events(JOB, fails)
    for _ in range(2):
        await called({}, [owed.id for owed in await told(r)])
    await told(r)
    await called({}, [])
    assert len(attempts) == 2 + 3


async def test_what_a_living_process_runs_is_not_told_or_started_again(r: Resources) -> None:
    ids = await owe(r, "a", "b")
    one = process()
    await told(r)
    await running.beat(r.database, one, [], pause=PATIENCE)
    assert len(await running.start(r.database, ids, one.id)) == 2
    assert not await told(r)
    assert not await running.start(r.database, ids, uuid4())
    await running.beat(r.database, one, [], pause=PATIENCE)
    await running.beat(r.database, one, ids, pause=timedelta(0))
    assert not await running.take_over(r.database, patience=PATIENCE)
    assert all(state["runs"] for state in (await states(r)).values())


async def test_what_was_left_undone_is_told_again_and_counts_as_no_failure(r: Resources) -> None:
    ids = await owe(r, "a", "b")
    one = process()
    await told(r)
    await running.start(r.database, ids, one.id)
    await running.beat(r.database, one, ids[:1], pause=timedelta(0))
    assert [owed.id for owed in await told(r)] == ids[1:]
    await running.leave(r.database, one.id)
    assert await value(r, WORKERS) == 0
    assert {(owed.id, owed.is_suspect) for owed in await told(r)} == {(job_id, False) for job_id in ids}


async def test_paused_kind_is_neither_told_nor_started(r: Resources) -> None:
    ids = await owe(r, "a")
    others = await owe(r, "b", job=COUNT_PULLS)
    await told(r)
    await run(r, PAUSE, name=JOB.name)
    assert not await running.start(r.database, ids, uuid4())
    assert [owed.id for owed in await told(r, JOB, COUNT_PULLS)] == others
    await run(r, RESUME)
    assert [owed.id for owed in await told(r)] == ids
    assert await running.start(r.database, ids, uuid4())


async def test_kinds_do_not_wait_for_the_backlog_of_another(r: Resources) -> None:
    await owe(r, *map(str, range(5)))
    await owe(r, "b", job=COUNT_PULLS)
    await run(r, COME)
    taken = await pending.take_due(r.database, [JOB, COUNT_PULLS], patience=PATIENCE, limit=2)
    assert sorted(owed.name for owed in taken) == [COUNT_PULLS.name] + [JOB.name] * 2


async def test_stopped_job_is_cancelled_by_its_worker_and_set_aside(r: Resources) -> None:
    (job_id,) = await owe(r, "a")
    has_begun = asyncio.Event()

    async def hangs(_context: dict[str, Any], _ids: list[str]) -> None:
        has_begun.set()
        await asyncio.get_running_loop().create_future()

    runner = Runner(r, process())
    await told(r)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(awaited(runner.for_events(JOB, hangs)({}, [job_id])))
        await has_begun.wait()
        await runner.beat()
        await run(r, STOP)
        await runner.beat()
    state = (await states(r))[job_id]
    assert (state["is_set_aside"], state["runs"], state["failures"]) == (True, False, 0)


async def test_job_that_is_cut_off_by_the_end_of_its_process_is_handed_back(r: Resources) -> None:
    (job_id,) = await owe(r, "a")
    has_begun = asyncio.Event()

    async def hangs(_context: dict[str, Any], _ids: list[str]) -> None:
        has_begun.set()
        await asyncio.get_running_loop().create_future()

    runner = Runner(r, process())
    await told(r)
    task = asyncio.create_task(awaited(runner.for_events(JOB, hangs)({}, [job_id])))
    await has_begun.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await running.leave(r.database, runner.process.id)
    state = (await states(r))[job_id]
    assert (state["runs"], state["failures"], state["crashes"]) == (False, 0, 0)
    assert [owed.id for owed in await told(r)] == [job_id]


async def test_emptied_redis_is_told_everything_again_at_once(r: Resources, queues: ArqRedis) -> None:
    await owe(r, *"abc")
    await run(r, COME)
    assert await tell_jobs(r, queues) == 3
    assert await tell_jobs(r, queues) == 0
    await queues.flushall()
    assert not await has_memory(queues)
    assert await tell_jobs(r, queues) == 3
    assert await queues.zcard(queue_name(JOB.queue)) == 1, "one batch"
    assert await tell_jobs(r, queues) == 0


async def test_what_a_process_was_told_when_it_died_is_told_again_at_once(r: Resources) -> None:
    ids = await owe(r, "a")
    await told(r)
    await running.beat(r.database, process(), [], pause=PATIENCE)
    await run(r, DIE)
    assert await running.take_over(r.database, patience=PATIENCE) == []
    taken = await pending.take_due(r.database, [JOB], patience=PATIENCE, limit=1)
    assert [(owed.id, owed.is_suspect) for owed in taken] == [(ids[0], False)]


async def test_kind_that_fails_takes_one_place_until_it_succeeds(r: Resources) -> None:
    ids = await owe(r, *"abcde")
    has_begun, may_end, running_now = asyncio.Event(), asyncio.Event(), list[str]()

    async def work(_context: dict[str, Any], batch: list[str]) -> None:
        running_now.extend(batch)
        has_begun.set()
        await may_end.wait()
        if ids[0] in batch:
            raise OSError
        await settle(r, batch)

    called = Runner(r, process()).for_events(JOB, work)
    await told(r)
    may_end.set()
    await called({}, ids[:1])
    may_end.clear()
    has_begun.clear()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(awaited(called({}, ids[1:2])))
        await has_begun.wait()
        await called({}, ids[2:3])
        assert running_now == ids[:2]
        may_end.set()
    await called({}, ids[2:])
    assert sorted(running_now) == sorted(ids)


async def test_nudge_that_fails_is_kept_with_its_error(r: Resources) -> None:
    async def fails(_context: dict[str, Any], _target_ids: list[int]) -> None:
        raise ValueError("no good")

    await Runner(r, process()).nudged(DELIVER_WEBHOOKS, fails)({}, [1])
    async with r.database.autocommit() as statements:
        (kept,) = await runs.list_failed(statements, limit=2)
    assert (kept.job_id, kept.error) == ("deliver_webhooks", "ValueError: no good")
