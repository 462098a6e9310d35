"""Schedules: each moment once, whatever many look; what was missed is caught up once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.db import SQL
from app.jobs import RECOUNT_QUOTAS, schedules
from app.jobs.cron import BadCron
from app.resources import Resources
from tests.support.jobs import process, run, states, told, value
from workers.running import Runner

MISS = SQL("UPDATE schedules SET next_at = now() - interval '3 days', cron = '0 0 0 1 1 *'")
FIRED = SQL("SELECT count(*) FROM pending_jobs WHERE event IS NULL")
NEXT = SQL("SELECT next_at FROM schedules")


async def test_schedule_fires_once_for_all_and_what_was_missed_is_caught_up_once(r: Resources) -> None:
    jobs = {RECOUNT_QUOTAS.name: RECOUNT_QUOTAS}
    async with r.database.transaction() as tx:
        await schedules.set_schedule(tx, RECOUNT_QUOTAS, 7, cron="0 0 0 1 1 *")
    assert await schedules.fire(r.database, jobs) == 0
    for _ in range(5):
        await run(r, MISS)
        fired = await asyncio.gather(*(schedules.fire(r.database, jobs) for _ in range(5)))
        assert sum(fired) == 1
    assert await value(r, FIRED) == 1
    assert await value(r, NEXT) > datetime.now(UTC) - timedelta(seconds=1)
    seen: list[object] = []

    async def work(context: dict[str, Any]) -> None:
        seen.append(context["vendor_id"])

    (owed,) = await told(r, RECOUNT_QUOTAS)
    await Runner(r, process()).scheduled(RECOUNT_QUOTAS, work)({}, [owed.id])
    assert seen == [7]
    assert not await states(r)


async def test_schedules_of_the_system_stay_as_an_operator_changed_them(r: Resources) -> None:
    await schedules.seed(r.database, {RECOUNT_QUOTAS: "0 0 * * * *"})
    await run(r, SQL("UPDATE schedules SET next_at = NULL"))
    await schedules.seed(r.database, {RECOUNT_QUOTAS: "0 0 * * * *"})
    assert await value(r, NEXT) is None


async def test_schedule_that_still_runs_is_not_owed_twice(r: Resources) -> None:
    jobs = {RECOUNT_QUOTAS.name: RECOUNT_QUOTAS}
    await schedules.seed(r.database, {RECOUNT_QUOTAS: "* * * * * *"})
    assert await schedules.fire(r.database, jobs) == 1
    await run(r, MISS)
    assert await schedules.fire(r.database, jobs) == 1
    assert await value(r, FIRED) == 1


async def test_schedule_is_changed_and_dropped(r: Resources) -> None:
    async with r.database.transaction() as tx:
        first = await schedules.set_schedule(tx, RECOUNT_QUOTAS, 7, cron="0 0 0 1 1 *")
        again = await schedules.set_schedule(
            tx, RECOUNT_QUOTAS, 7, cron="0 0 2 1 1 *", time_zone="Asia/Tokyo"
        )
        assert again == first
        assert (await tx.value(NEXT)).astimezone(UTC).hour == 17
        with pytest.raises(BadCron):
            await schedules.set_schedule(tx, RECOUNT_QUOTAS, 7, cron="@daily")
        assert await schedules.drop_schedule(tx, RECOUNT_QUOTAS, 7)
        assert not await schedules.drop_schedule(tx, RECOUNT_QUOTAS, 7)
