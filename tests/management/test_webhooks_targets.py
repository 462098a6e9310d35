"""How targets fare, their signing secrets, and what is sent to them once more."""

import asyncio
import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.access import Role
from app.db import SQL
from app.events import outbox
from tests.management.client import Caller, unique
from tests.management.conftest import MakeUser, Project
from tests.management.webhooks import INSERT_MANY, SET_TARGET, Watched, path_of, policy, target, watched
from tests.support.eventually import until

EVENTS = SQL("""
    SELECT payload FROM outbox
    WHERE payload->>'project_name' = %(project)s AND type LIKE 'webhook%%' ORDER BY id
""")
FORGET_KEY = SQL("""
    UPDATE secrets SET key_id = 'gone'
    WHERE id = (SELECT secret_id FROM webhook_targets WHERE id = %(target_id)s)
""")


@pytest.fixture
async def seen(admin: Caller, project: Project) -> Watched:
    return await watched(admin, project)


async def test_secret_is_shown_once_and_the_one_before_signs_for_a_while(
    admin: Caller, seen: Watched
) -> None:
    path = f"{seen.target_path}/secret"
    (unseen,) = (await admin.get(path)).json
    assert (len(unseen["fingerprint"]), unseen["expires_at"]) == (16, None)
    # Nobody knows the one that it had at first, so nothing need be signed by it.
    await admin.post(path)
    (first,) = (await admin.get(path)).json
    assert first != unseen
    made = await admin.post(path)
    assert made.status == 200
    assert made.json["secret"].startswith("whsec_")
    assert len(base64.b64decode(made.json["secret"].removeprefix("whsec_"), validate=True)) == 32
    in_force, before = (await admin.get(path)).json
    assert in_force == {"fingerprint": made.json["fingerprint"], "expires_at": None}
    assert before["fingerprint"] == first["fingerprint"]
    left = datetime.fromisoformat(before["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(hours=24)
    # Two at most, and one where nobody needs the one before.
    await admin.post(path, overlap_seconds=60)
    assert [each["fingerprint"] for each in (await admin.get(path)).json][1:] == [in_force["fingerprint"]]
    await admin.post(path, overlap_seconds=0)
    assert len((await admin.get(path)).json) == 1
    assert (await admin.post(path, overlap_seconds=31 * 86_400)).status == 422


@pytest.mark.slow
async def test_secret_whose_time_is_over_signs_no_more(admin: Caller, seen: Watched) -> None:
    path = f"{seen.target_path}/secret"
    await admin.post(path)
    await admin.post(path, overlap_seconds=1)

    async def count() -> int:
        return len((await admin.get(path)).json)

    assert await count() == 2
    await until(count, lambda number: number == 1)


async def test_change_of_a_policy_keeps_the_signing_secret(admin: Caller, seen: Watched) -> None:
    before = (await admin.get(f"{seen.target_path}/secret")).json
    assert (await admin.put(seen.path, policy(targets=[target(auth_header="x")]))).status == 200
    assert (await admin.get(f"{seen.target_path}/secret")).json == before
    await admin.post(f"{seen.target_path}/secret")
    assert (await admin.get(seen.path)).json["targets"][0]["auth_header"] == "x"


async def test_only_owners_make_secrets_and_maintainers_see_fingerprints(
    seen: Watched, make_user: MakeUser
) -> None:
    maintainer = await make_user(Role.MAINTAINER)
    assert (await maintainer.get(f"{seen.target_path}/secret")).status == 200
    for path in ("secret", "pause", "resume"):
        assert (await maintainer.post(f"{seen.target_path}/{path}")).status == 403
    assert (await (await make_user(Role.PROJECT_ADMIN)).post(f"{seen.target_path}/secret")).status == 200


async def test_secret_under_a_key_that_is_gone_is_said_to_be(admin: Caller, seen: Watched) -> None:
    await seen.run(FORGET_KEY, target_id=seen.target_id)
    for answer in (
        await admin.get(f"{seen.target_path}/secret"),
        await admin.post(f"{seen.target_path}/secret"),
    ):
        assert (answer.status, answer.code) == (409, "CONFLICT")
    await admin.put(seen.path, policy())
    assert (await admin.post(f"{seen.target_path}/secret")).status == 200


async def test_state_says_how_a_target_fares_and_what_is_owed_to_it(admin: Caller, seen: Watched) -> None:
    for status in ("pending", "pending", "dead", "success"):
        await seen.delivery(status)

    async def state() -> dict[str, Any]:
        (shown,) = (await admin.get(f"{seen.path}/targets")).json
        return dict(shown)

    shown = await state()
    assert (shown["id"], shown["type"], shown["state"]) == (seen.target_id, "http", "closed")
    assert (shown["owed"], shown["dead"], shown["failures"]) == (2, 1, 0)
    await seen.run(SET_TARGET, target_id=seen.target_id, failures=7, open_for="1 minute")
    shown = await state()
    assert (shown["state"], shown["failures"]) == ("open", 7)
    assert shown["open_until"] > shown["failing_since"]
    await seen.run(SET_TARGET, target_id=seen.target_id, failures=7, open_for="-1 s")
    assert (await state())["state"] == "half-open"
    assert (await admin.post(f"{seen.target_path}/pause")).status == 200
    assert (await state())["state"] == "paused"
    assert (await admin.post(f"{seen.target_path}/resume")).status == 200
    shown = await state()
    assert (shown["state"], shown["failures"], shown["failing_since"]) == ("closed", 0, None)


async def test_what_waits_is_due_when_a_target_is_resumed(
    admin: Caller, project: Project, seen: Watched
) -> None:
    waiting, dead = await seen.delivery(attempts=3), await seen.delivery("dead")
    for _ in range(2):
        assert (await admin.post(f"{seen.target_path}/pause")).status == 200
    assert not (await seen.found(waiting))["is_due"]
    assert (await admin.post(f"{seen.target_path}/resume")).status == 200
    found = await seen.found(waiting)
    assert (found["is_due"], found["is_given_up"], found["attempts"]) == (True, False, 3)
    assert (await seen.found(dead))["status"] == "dead"
    async with seen.registry.resources.database.autocommit() as statements:
        events = await statements.values(EVENTS, project=project.name)
    assert [(event["type"], event["target_id"]) for event in events] == [
        ("webhook-target.paused", seen.target_id),
        ("webhook-target.resumed", seen.target_id),
    ]


@pytest.mark.parametrize("status", ["pending", "success", "dead", "stopped"])
async def test_delivery_is_replayed_under_its_id(admin: Caller, seen: Watched, status: str) -> None:
    delivery = await seen.delivery(status, attempts=2, is_leased=status == "pending")
    before = await seen.found(delivery)
    assert (await admin.post(f"{seen.path}/deliveries/{delivery}/replay")).status == 200
    assert await seen.found(delivery) == {
        "status": "pending",
        "attempts": 2,
        "webhook_id": before["webhook_id"],
        "is_due": True,
        "is_given_up": False,
        "is_leased": status == "pending",
        "is_over": False,
    }


async def test_deliveries_are_replayed_by_time_status_and_target(admin: Caller, project: Project) -> None:
    two = [target(address="http://one"), target(address="http://two")]
    seen = await watched(admin, project, targets=two)
    other = (await admin.get(seen.path)).json["targets"][1]["id"]
    old = await seen.delivery("dead", execution=await seen.execution(occurred_at="2020-01-01T00:00:00Z"))
    dead, done, waiting = [await seen.delivery(status) for status in ("dead", "success", "pending")]

    async def replayed(**body: Any) -> int:
        span = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00+01:00"}
        answer = await admin.post(f"{seen.path}/replay", span | body)
        assert answer.status == 200, answer.json
        return int(answer.json["count"])

    assert await replayed(target_id=other) == 0
    assert await replayed() == 1
    assert await replayed() == 0
    assert await replayed(status="any", target_id=seen.target_id) == 1
    ever = {"from": "0001-01-01T00:00:00+14:00", "to": "9999-12-31T23:59:59-14:00"}
    assert await replayed(**ever, status="Stopped") == 0
    assert await replayed(**{"from": "2019-01-01T00:00:00Z"}) == 1
    statuses = [(await seen.found(each))["is_due"] for each in (old, dead, done, waiting)]
    assert statuses == [True, True, True, False]
    async with seen.registry.resources.database.autocommit() as statements:
        events = await statements.values(EVENTS, project=project.name)
    assert [(event["type"], event["count"]) for event in events] == [("webhook-delivery.replayed", 1)] * 3


async def test_replay_without_time_zone_or_end_is_refused(admin: Caller, seen: Watched) -> None:
    for body in (
        {},
        {"from": "2026-01-01T00:00:00Z"},
        {"from": "2026-01-01T00:00:00", "to": "2026-01-01T00:00:00Z"},
        {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z", "status": "pending"},
    ):
        assert (await admin.post(f"{seen.path}/replay", body)).status == 422


async def test_too_many_deliveries_are_not_replayed_at_once(admin: Caller, seen: Watched) -> None:
    many = {"policy_id": seen.policy_id, "target_id": seen.target_id}
    await seen.run(INSERT_MANY, count=10_000, **many)
    span = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    await seen.run(INSERT_MANY, count=1, **many)
    refused = await admin.post(f"{seen.path}/replay", span)
    assert (refused.status, "10000" in refused.message) == (400, True)
    (first, *_) = (await admin.get(f"{seen.path}/deliveries", page_size=1)).json
    await admin.post(f"{seen.path}/deliveries/{first['id']}/replay")
    assert (await admin.post(f"{seen.path}/replay", span)).json == {"count": 10_000}


async def test_stopped_execution_owes_nothing_any_more(admin: Caller, project: Project) -> None:
    two = [target(address="http://one"), target(address="http://two")]
    seen = await watched(admin, project, targets=two)
    second = (await admin.get(seen.path)).json["targets"][1]["id"]
    execution = await seen.execution()
    taken = await seen.delivery("success", execution=execution, target_id=second)
    waiting = await seen.delivery(execution=execution, is_leased=True)
    other = await seen.delivery()
    assert (await admin.post(f"{seen.path}/executions/{execution}/stop")).status == 200
    found = await seen.found(waiting)
    assert (found["status"], found["is_over"], found["is_leased"]) == ("stopped", True, False)
    assert (await seen.found(other))["status"] == "pending"
    assert (await seen.found(taken))["status"] == "success"


async def test_what_is_of_another_policy_can_not_be_touched(
    admin: Caller, project: Project, seen: Watched
) -> None:
    other = await watched(admin, project, name=unique("other"))
    execution = await other.execution()
    delivery = await other.delivery("dead", execution=execution)
    span = {"from": "2020-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"}
    for method, path, body in (
        ("POST", f"{seen.path}/targets/{other.target_id}/pause", None),
        ("POST", f"{seen.path}/targets/{other.target_id}/resume", None),
        ("GET", f"{seen.path}/targets/{other.target_id}/secret", None),
        ("POST", f"{seen.path}/targets/{other.target_id}/secret", None),
        ("POST", f"{seen.path}/deliveries/{delivery}/replay", None),
        ("POST", f"{seen.path}/executions/{execution}/stop", None),
        ("POST", f"{seen.path}/replay", span | {"target_id": other.target_id}),
        ("GET", f"{path_of(project)}/{2**40}/targets", None),
        ("POST", f"{path_of(project)}/{2**40}/test", None),
        ("POST", f"{path_of(project)}/{2**40}/replay", span),
    ):
        assert (await admin(method, path, body)).code == "NOT_FOUND", path
    assert (await admin.post(f"{seen.path}/replay", span)).json == {"count": 0}
    assert (await other.found(delivery))["status"] == "dead"


async def test_test_goes_the_way_of_all_events_and_can_be_told_from_them(
    admin: Caller, project: Project, seen: Watched
) -> None:
    filtered = {"filters": [{"kind": "tag", "pattern": "v*"}], "event_types": ["PULL_ARTIFACT"]}
    await admin.put(seen.path, policy(**filtered))
    database = seen.registry.resources.database
    async with database.listen(outbox.CHANNEL) as wait:
        asking = asyncio.ensure_future(wait(10))
        answer = await admin.post(f"{seen.path}/test")
        began = time.monotonic()
        await asking
        assert time.monotonic() - began < 5
    execution = answer.json["execution_id"]
    (shown,) = (await admin.get(f"{seen.path}/executions")).json
    assert (shown["id"], shown["status"], shown["extra_attrs"]["event_type"]) == (
        execution,
        "Running",
        "TEST",
    )
    payload = json.loads(shown["extra_attrs"]["payload"])
    assert (payload["type"], payload["operator"]) == ("TEST", "admin")
    assert payload["event_data"]["repository"]["repo_full_name"] == f"{project.name}/test"
    (task,) = (await admin.get(f"{seen.path}/executions/{execution}/tasks")).json
    assert task["status"] == "Pending"
    found = await seen.found(task["id"])
    assert (found["is_due"], found["is_given_up"]) == (True, False)


async def test_nothing_is_tested_by_a_policy_that_is_off(admin: Caller, seen: Watched) -> None:
    await admin.put(seen.path, policy(enabled=False))
    answer = await admin.post(f"{seen.path}/test")
    assert (answer.status, answer.message) == (400, "the policy is not enabled: nothing is sent by it")
    assert (await admin.get(f"{seen.path}/executions")).total == 0
