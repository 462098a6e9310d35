"""Jobs, workers and schedules in Harbor's API: what operators see, and what they do about it."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.db import SQL
from app.jobs import COUNT_PULLS, RECOUNT_QUOTAS, pending, running, schedules
from app.resources import Resources
from tests.management.client import Caller
from tests.management.conftest import MakeUser
from tests.support.jobs import CLEAN, JOB, PATIENCE, owe, process, run, states, told
from tests.support.registry import Registry
from workers.running import Runner

OLD = SQL("UPDATE pending_jobs SET created_at = now() - interval '1 hour'")
DUE = SQL("UPDATE schedules SET next_at = now()")
EVENTS = SQL(
    "SELECT type FROM outbox WHERE type LIKE 'job%%' OR type LIKE 'schedule%%' ORDER BY id DESC LIMIT 1"
)


@pytest.fixture
async def r(shared: Registry) -> AsyncIterator[Resources]:
    await run(shared.resources, CLEAN)
    yield shared.resources
    await run(shared.resources, CLEAN)


async def queue(admin: Caller, job_type: str) -> dict[str, Any]:
    found = {entry["job_type"]: entry for entry in (await admin.get("/jobservice/queues")).json}
    return dict(found[job_type])


async def act(admin: Caller, job_type: str, action: str) -> int:
    return (await admin.put(f"/jobservice/queues/{job_type}", {"action": action})).status


async def last_event(r: Resources) -> str:
    async with r.database.autocommit() as statements:
        return str(await statements.value(EVENTS))


async def fail(r: Resources, job_id: str, times: int) -> None:
    async def fails(_context: dict[str, Any], _ids: list[str]) -> None:
        raise ValueError("no good")

    called = Runner(r, process()).for_events(JOB, fails)
    for number in range(times):
        await told(r)
        await called({}, [] if number > 1 else [job_id])


async def test_queues_say_how_much_waits_and_for_how_long(admin: Caller, r: Resources) -> None:
    empty = {"count": 0, "latency": 0, "paused": False, "running": 0, "set_aside": 0}
    assert await queue(admin, "COUNT_PULLS") == {"job_type": "COUNT_PULLS", **empty}
    await owe(r, "a", "b", job=COUNT_PULLS)
    await run(r, OLD)
    seen = await queue(admin, "COUNT_PULLS")
    assert seen["count"] == 2
    assert 3_600 <= seen["latency"] < 3_700


async def test_paused_kind_is_not_told_and_is_told_at_once_when_it_is_resumed(
    admin: Caller, r: Resources
) -> None:
    ids = await owe(r, "a")
    await told(r)
    assert await act(admin, JOB.type, "pause") == 200
    assert await last_event(r) == "job-queue.paused"
    assert (await queue(admin, JOB.type))["paused"]
    assert not await told(r)
    assert await act(admin, JOB.type.lower(), "resume") == 200
    assert not (await queue(admin, JOB.type))["paused"]
    taken = await pending.take_due(r.database, [JOB], patience=PATIENCE, limit=10)
    assert [job.id for job in taken] == ids


@pytest.mark.parametrize("job_type", ["IMAGE_SCAN", "REPLICATION"])
async def test_what_has_a_queue_and_no_jobs_yet_is_seen_and_paused(
    admin: Caller, r: Resources, job_type: str
) -> None:
    assert await act(admin, job_type, "pause") == 200
    assert await last_event(r) == "job-queue.paused"
    assert (await queue(admin, job_type))["paused"]
    assert await act(admin, job_type, "resume") == 200
    assert not (await queue(admin, job_type))["paused"]


@pytest.mark.usefixtures("r")
async def test_everything_can_be_paused_and_resumed_at_once(admin: Caller) -> None:
    assert (await admin.get("/schedules/all/paused")).json == {"paused": False}
    assert await act(admin, "all", "pause") == 200
    queues = (await admin.get("/jobservice/queues")).json
    assert all(entry["paused"] for entry in queues)
    assert "SCHEDULER" in {entry["job_type"] for entry in queues}
    assert (await admin.get("/schedules/all/paused")).json == {"paused": True}
    assert await act(admin, "all", "resume") == 200
    assert not any(entry["paused"] for entry in (await admin.get("/jobservice/queues")).json)


async def test_no_schedule_comes_while_the_scheduler_is_paused(admin: Caller, r: Resources) -> None:
    jobs = {RECOUNT_QUOTAS.name: RECOUNT_QUOTAS}
    await schedules.seed(r.database, {RECOUNT_QUOTAS: "0 0 * * * *"})
    assert await act(admin, "SCHEDULER", "pause") == 200
    assert await schedules.fire(r.database, jobs) == 0
    assert await act(admin, "SCHEDULER", "resume") == 200
    assert await schedules.fire(r.database, jobs) == 1


async def test_what_waits_is_set_aside_by_stop_and_comes_back_by_retry(admin: Caller, r: Resources) -> None:
    (job_id,) = await owe(r, "a")
    assert await act(admin, JOB.type, "stop") == 200
    assert not await told(r)
    shown = await admin.get("/jobservice/jobs")
    assert shown.total == 1
    assert (shown.json[0]["id"], shown.json[0]["error"]) == (job_id, "stopped by an operator")
    assert (await admin.put(f"/jobservice/jobs/{job_id}/retry")).status == 200
    assert await last_event(r) == "job.retried"
    assert (await admin.put(f"/jobservice/jobs/{job_id}/retry")).status == 404
    assert [job.id for job in await told(r)] == [job_id]


async def test_job_that_failed_too_often_is_shown_with_its_error_and_its_log(
    admin: Caller, r: Resources
) -> None:
    (job_id,) = await owe(r, "a")
    await fail(r, job_id, 2)
    log = (await admin.get(f"/jobservice/jobs/{job_id}/log")).json
    assert "write_audit_log error" in log
    assert log.count("ValueError: no good") >= 2
    assert (await admin.get("/jobservice/jobs/other/log")).status == 404


async def test_pools_and_workers_show_what_runs_where(admin: Caller, r: Resources) -> None:
    one = process()
    await running.beat(r.database, one, [], pause=PATIENCE)
    ids = await owe(r, "a", "b")
    await told(r)
    await running.start(r.database, ids, one.id)
    (pool,) = (await admin.get("/jobservice/pools")).json
    assert pool["worker_pool_id"] == str(one.id)
    assert (pool["pid"], pool["host"], pool["concurrency"]) == (one.pid, one.host, one.concurrency)
    for pool_id in ("all", str(one.id)):
        (worker,) = (await admin.get(f"/jobservice/pools/{pool_id}/workers")).json
        assert (worker["job_name"], worker["job_id"]) == (JOB.type, min(ids))
        assert datetime.fromisoformat(worker["start_at"]).tzinfo
    assert (await admin.get("/jobservice/pools/other/workers")).status == 404
    assert (await admin.put(f"/jobservice/jobs/{min(ids)}")).status == 200
    assert await running.beat(r.database, one, ids, pause=PATIENCE) == [min(ids)]
    assert (await admin.put("/jobservice/jobs/other")).status == 404
    assert (await admin.put("/jobservice/jobs/all")).status == 200
    await running.beat(r.database, one, [], pause=timedelta(0))
    assert {"id", "pool_id"} == set((await admin.get("/jobservice/pools/all/workers")).json[0])


async def test_schedules_are_listed_and_paused_one_by_one(admin: Caller, r: Resources) -> None:
    jobs = {RECOUNT_QUOTAS.name: RECOUNT_QUOTAS}
    await schedules.seed(r.database, {RECOUNT_QUOTAS: "0 47 * * * *"})
    shown = await admin.get("/schedules")
    assert shown.total == 1
    (schedule,) = shown.json
    assert (schedule["vendor_type"], schedule["vendor_id"]) == ("RECOUNT_QUOTAS", 0)
    assert (schedule["cron"], schedule["time_zone"], schedule["paused"]) == ("0 47 * * * *", "UTC", False)
    path = f"/schedules/{schedule['id']}"
    assert (await admin.put(path, {"action": "pause"})).status == 200
    assert await last_event(r) == "schedule.paused"
    assert (await admin.get("/schedules")).json[0]["paused"]
    await run(r, DUE)
    assert await schedules.fire(r.database, jobs) == 0
    assert (await admin.put(path, {"action": "resume"})).status == 200
    assert await schedules.fire(r.database, jobs) == 1
    assert (await admin.put("/schedules/999999", {"action": "pause"})).status == 404
    assert (await admin.get("/schedules/other/paused")).status == 400


async def test_what_cannot_be_done_is_refused(admin: Caller, r: Resources, make_user: MakeUser) -> None:
    assert await act(admin, "OTHER", "pause") == 404
    assert await act(admin, "all", "explode") == 422
    user = await make_user()
    assert await act(user, "all", "pause") == 403
    assert (await user.get("/jobservice/queues")).status == 403
    assert (await user.get("/schedules/all/paused")).status == 200
    assert not await states(r)


@pytest.mark.parametrize("word", ["%00", "%ff", "a%2Fb", "x" * 256, "'", "%F0%9F%92%A9"])
async def test_odd_names_are_refused(admin: Caller, word: str) -> None:
    for method, path in (
        ("PUT", f"/jobservice/queues/{word}"),
        ("GET", f"/jobservice/pools/{word}/workers"),
        ("PUT", f"/jobservice/jobs/{word}"),
        ("PUT", f"/jobservice/jobs/{word}/retry"),
        ("GET", f"/jobservice/jobs/{word}/log"),
        ("GET", f"/schedules/{word}/paused"),
    ):
        answer = await admin(method, path, {"action": "pause"} if "queues" in path else None)
        assert answer.status in {400, 404, 422}, (method, path)
