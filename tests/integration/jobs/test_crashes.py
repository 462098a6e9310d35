"""Jobs whose process dies: they run alone from then on, and the one whose fault it is is set aside."""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import uuid4

from app.db import SQL
from app.jobs import COUNT_PULLS, running
from app.jobs.running import CRASHES, Unfinished
from app.resources import Resources
from tests.support.jobs import JOB, PATIENCE, owe, process, run, settle, states, told
from workers.running import Runner

DIE = SQL("UPDATE workers SET heartbeat_at = now() - interval '1 hour'")
RUNS = SQL("SELECT outcome FROM job_runs ORDER BY id")


async def test_job_whose_processes_die_is_set_aside_and_those_that_ran_beside_it_are_done(
    r: Resources,
) -> None:
    poison, *others = await owe(r, "poison", *"abc")
    dead = [process() for _ in range(CRASHES)]
    crashed: list[Unfinished] = []
    await told(r)
    await running.beat(r.database, dead[0], [], pause=PATIENCE)
    assert len(await running.start(r.database, [poison, *others], dead[0].id)) == 4
    await run(r, DIE)
    assert len(await running.take_over(r.database, patience=PATIENCE)) == 4
    done = []
    for one in dead[1:]:
        await told(r)
        await running.beat(r.database, one, [], pause=PATIENCE)
        while (started := await running.start_suspect(r.database, JOB.name, one.id)) and started.id != poison:
            await settle(r, [started.id])
            done.append(started.id)
        assert await running.start_suspect(r.database, JOB.name, uuid4()) is None, "one suspect at a time"
        await run(r, DIE)
        crashed = await running.take_over(r.database, patience=PATIENCE)
    assert [(job.id, job.is_set_aside) for job in crashed] == [(poison, True)]

    async def work(_context: dict[str, Any], ids: list[str]) -> None:
        done.extend(ids)
        await settle(r, ids)

    await told(r)
    await Runner(r, process()).for_events(JOB, work)({}, [])
    assert sorted(done) == sorted(others)
    async with r.database.autocommit() as statements:
        assert await statements.values(RUNS) == ["crash"] * (3 + CRASHES)


async def crash(r: Resources, *ids: str) -> list[Unfinished]:
    """Let a process die that runs these beside one another, or the one that crashed before by itself."""
    one = process()
    await told(r)
    await running.beat(r.database, one, [], pause=PATIENCE)
    if ids:
        assert len(await running.start(r.database, list(ids), one.id)) == len(ids)
    else:
        assert await running.start_suspect(r.database, JOB.name, one.id)
    await run(r, DIE)
    return await running.take_over(r.database, patience=PATIENCE)


async def test_crash_beside_others_does_not_count_and_three_alone_do(r: Resources) -> None:
    innocent, poison = await owe(r, "innocent", "poison")
    assert len(await crash(r, innocent, poison)) == 2
    await settle(r, [innocent])
    assert [job.is_set_aside for _ in range(3) for job in await crash(r)] == [False, False, True]


async def test_what_crashed_runs_by_itself_in_its_process_also_beside_other_kinds(r: Resources) -> None:
    ids = [*await owe(r, "a", "b"), *await owe(r, "c", "d", job=COUNT_PULLS)]
    one = process()
    await told(r, JOB, COUNT_PULLS)
    await running.beat(r.database, one, [], pause=PATIENCE)
    await running.start(r.database, ids, one.id)
    await run(r, DIE)
    assert len(await running.take_over(r.database, patience=PATIENCE)) == 4
    running_now: set[str] = set()
    has_company = asyncio.Event()

    async def work(_context: dict[str, Any], ids: list[str]) -> None:
        running_now.update(ids)
        if len(running_now) > 1:
            has_company.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await has_company.wait()
        running_now.difference_update(ids)
        await settle(r, ids)

    runner = Runner(r, process())
    await told(r, JOB, COUNT_PULLS)
    await asyncio.gather(*(runner.for_events(job, work)({}, []) for job in (JOB, COUNT_PULLS)))
    assert not has_company.is_set()
    assert await states(r) == {}
