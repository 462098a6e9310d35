"""What a target does not take is tried again; it is left alone for a while, and others are not held up."""

import asyncio
import time
from datetime import timedelta

import pytest
from aiohttp import web
from msgspec.structs import replace

from app.db import SQL
from app.webhooks.deliver import Deliveries
from app.webhooks.fan_out import list_waited_for
from app.webhooks.model import SigningSecret, TargetSecrets
from app.webhooks.purge import purge
from tests.support.consumer import Consumer, Received, stall
from tests.support.eventually import until
from tests.support.servers import free_ports
from tests.webhooks.posting import SECRET, Posting, pushed

WAITS = SQL("""
    SELECT due_at - now() FROM webhook_deliveries WHERE target_id = %(target_id)s AND status = 'pending'
""")
HEALTH = SQL("""
    SELECT row_to_json(t) FROM (
        SELECT failures, failing_since IS NOT NULL AS is_failing, paused_at IS NOT NULL AS is_paused,
            extract(epoch FROM open_until - now()) AS open_for
        FROM webhook_targets WHERE id = %(target_id)s
    ) t
""")
GIVE_UP = SQL("UPDATE webhook_deliveries SET give_up_at = now() - interval '1 s'")
FAIL_FOR_DAYS = SQL("UPDATE webhook_targets SET failing_since = now() - interval '4 days', failures = 1")
LOSE_SECRETS = SQL("UPDATE secrets SET key_id = 'gone'")
AGE_LOG = SQL("UPDATE webhook_executions SET created_at = now() - interval '31 days'")
COUNT = SQL("SELECT count(*) FROM webhook_executions")
RECORDED = SQL("SELECT payload FROM outbox WHERE type = 'webhook-target.paused'")
DISABLE = SQL("UPDATE webhook_policies SET is_enabled = %(is_enabled)s")


def status(code: int, **headers: str) -> web.Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(status=code, headers=fields, text="no\x00, \x1b[31mno")


async def test_what_fails_is_tried_again_with_the_same_id_and_body_until_it_is_taken(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(pushed())
    consumer.answer = lambda _: status(500)
    await posting.deliver(target)
    assert timedelta(seconds=0.5) < await posting.value(WAITS, target_id=target) < timedelta(seconds=2)
    await posting.deliver(target)
    assert len(consumer.received) == 1, "it is not due yet"
    await posting.make_due()
    consumer.answer = lambda _: status(204)
    await posting.deliver(target)
    first, second = consumer.received
    assert (first.id, first.body) == (second.id, second.body)
    assert second.is_signed_with(SECRET)
    assert await posting.statuses(target) == ["success"]
    assert await posting.attempts(target) == [
        {"number": 1, "status": 500, "error": "", "answer": "no�, �[31mno"},
        {"number": 2, "status": 204, "error": "", "answer": ""},
    ]


async def test_without_an_answer_the_log_says_why(posting: Posting) -> None:
    (port,) = free_ports(1)
    target = await posting.target(await posting.policy(), f"http://127.0.0.1:{port}/")
    await posting.happen(pushed())
    await posting.deliver(target)
    (attempt,) = await posting.attempts(target)
    assert attempt == {
        "number": 1,
        "status": None,
        "error": f"no connection to 127.0.0.1:{port}",
        "answer": "",
    }


async def test_after_five_failures_in_a_row_nothing_is_sent_but_one_probe(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(*(pushed("library/app", f"v{number}") for number in range(8)))
    consumer.answer = lambda _: status(500)
    await posting.deliver(target)
    assert len(consumer.received) == 8, "they were on their way together"
    health = await posting.value(HEALTH, target_id=target)
    assert health["failures"] == 5
    assert 9 < health["open_for"] <= 10
    await posting.make_due()
    await posting.deliver(target)
    assert len(consumer.received) == 8
    assert await list_waited_for(posting.resources) == []
    await posting.end_pause()
    assert await list_waited_for(posting.resources) == [target]
    await asyncio.gather(*(posting.deliver(target) for _ in range(3)))
    assert len(consumer.received) == 9, "one finds out, however many workers there are"
    assert 19 < (await posting.value(HEALTH, target_id=target))["open_for"] <= 20
    await posting.make_due()
    await posting.end_pause()
    consumer.answer = lambda _: status(200)
    await posting.deliver(target)
    assert await posting.statuses(target) == ["success"] * 8
    health = await posting.value(HEALTH, target_id=target)
    assert health == {"failures": 0, "is_failing": False, "is_paused": False, "open_for": None}


@pytest.mark.parametrize("code", [429, 503])
async def test_a_busy_target_is_left_alone_for_as_long_as_it_says(
    posting: Posting, consumer: Consumer, code: int
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(pushed())
    consumer.answer = lambda _: status(code, Retry_After="300")
    await posting.deliver(target)
    assert 298 < (await posting.value(HEALTH, target_id=target))["open_for"] <= 300
    assert timedelta(seconds=298) < await posting.value(WAITS, target_id=target) <= timedelta(seconds=300)


async def test_a_target_that_is_gone_is_paused_and_what_is_owed_waits(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(pushed())
    consumer.answer = lambda _: status(410)
    await posting.deliver(target)
    assert (await posting.value(HEALTH, target_id=target))["is_paused"]
    await posting.make_due()
    await posting.deliver(target)
    assert len(consumer.received) == 1
    assert await posting.statuses(target) == ["pending"]
    assert await posting.value(RECORDED) == {
        "type": "webhook-target.paused",
        "name": "policy",
        "project_name": "library",
        "target_id": target,
        "reason": "it answered 410",
    }


async def test_a_target_that_fails_for_days_is_paused(posting: Posting, consumer: Consumer) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(pushed())
    await posting.run(FAIL_FOR_DAYS)
    consumer.answer = lambda _: status(500)
    await posting.deliver(target)
    assert (await posting.value(HEALTH, target_id=target))["is_paused"]
    assert (await posting.value(RECORDED))["reason"] == "it answered 500"


async def test_what_fails_for_too_long_is_dead(posting: Posting, consumer: Consumer) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(pushed())
    await posting.run(GIVE_UP)
    consumer.answer = lambda _: status(500)
    await posting.deliver(target)
    assert await posting.statuses(target) == ["dead"]
    await posting.make_due()
    await posting.deliver(target)
    assert len(consumer.received) == 1


async def test_what_is_owed_waits_while_a_policy_is_disabled(posting: Posting, consumer: Consumer) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(pushed())
    await posting.run(DISABLE, is_enabled=False)
    await posting.deliver(target)
    assert not consumer.received
    assert await list_waited_for(posting.resources) == []
    await posting.run(DISABLE, is_enabled=True)
    assert await list_waited_for(posting.resources) == [target]
    await posting.deliver(target)
    assert len(consumer.received) == 1


async def test_a_target_that_stalls_holds_up_no_other(
    posting: Posting, consumer: Consumer, other_consumer: Consumer
) -> None:
    policy = await posting.policy()
    stalled = await posting.target(policy, consumer.url, timeout=0.5)
    fast = await posting.target(policy, other_consumer.url)
    consumer.answer = stall
    await posting.happen(*(pushed("library/app", f"v{number}") for number in range(100)))
    began = time.monotonic()
    deliveries = Deliveries(posting.resources)
    working = asyncio.create_task(deliveries.deliver([stalled, fast]))
    await until(other_consumer.count, (100).__eq__)
    assert time.monotonic() - began < 1
    assert len(consumer.received) <= 32, "so many are in flight at a time"
    await working
    assert 5 <= len(consumer.received) <= 64, "then it is left alone"
    assert await posting.statuses(fast) == ["success"] * 100
    assert {attempt["error"] for attempt in await posting.attempts(stalled)} == {"no answer within 0.5 s"}


async def test_the_more_targets_take_their_time_the_less_each_is_sent_at_once(
    posting: Posting, consumer: Consumer, other_consumer: Consumer
) -> None:
    policy = await posting.policy()
    slow = [await posting.target(policy, f"{consumer.url}/{number}") for number in range(20)]
    consumer.answer = stall
    await posting.happen(*(pushed("library/app", f"v{number}") for number in range(10)))
    r = posting.resources
    few = replace(r.settings, workers=replace(r.settings.workers, webhooks_concurrency=40))
    deliveries = Deliveries(replace(r, settings=few))
    working = asyncio.create_task(deliveries.deliver(slow))
    await until(consumer.paths, lambda paths: len(paths) == 20)
    assert len(consumer.received) < 40
    target = await posting.target(await posting.policy(name="other"), other_consumer.url)
    await posting.happen(pushed("library/app", "last"))
    await deliveries.deliver([target])
    assert len(other_consumer.received) == 1
    working.cancel()
    await asyncio.wait([working])


async def test_one_answer_that_takes_its_time_holds_up_no_other_of_its_target(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    is_over = asyncio.Event()

    async def answer(received: Received) -> web.StreamResponse:
        if received.json["event_data"]["resources"][0]["tag"] == "v0":
            await is_over.wait()
        return web.Response()

    consumer.answer = answer
    await posting.happen(*(pushed("library/app", f"v{number}") for number in range(50)))
    deliveries = Deliveries(posting.resources)
    working = asyncio.create_task(deliveries.deliver([target]))
    await until(consumer.count, (50).__eq__)
    await posting.happen(pushed("library/app", "late"))
    await deliveries.deliver([target])
    await until(consumer.count, (51).__eq__)
    is_over.set()
    await working
    assert await posting.statuses(target) == ["success"] * 51


async def test_a_secret_that_cannot_be_read_is_a_failure_that_says_so(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(pushed())
    await posting.run(LOSE_SECRETS)
    await posting.deliver(target)
    assert not consumer.received
    (attempt,) = await posting.attempts(target)
    assert "key that is not set any more" in attempt["error"]


async def test_what_cannot_be_sent_holds_up_nothing(posting: Posting, consumer: Consumer) -> None:
    broken = TargetSecrets(signing=(SigningSecret("whsec_short"),))
    target = await posting.target(await posting.policy(), consumer.url, secrets=broken)
    await posting.happen(pushed())
    await posting.deliver(target)
    (attempt,) = await posting.attempts(target)
    assert attempt["error"] == "it could not be sent: ValueError"


async def test_a_target_has_headers_of_its_own_that_do_not_replace_ours(
    posting: Posting, consumer: Consumer
) -> None:
    secrets = TargetSecrets(
        auth_header="Bearer word",
        headers={"X-Team": "storage", "Webhook-Id": "mine", "content-type": "text/plain"},
    )
    target = await posting.target(await posting.policy(), consumer.url, secrets=secrets)
    await posting.happen(pushed())
    await posting.deliver(target)
    (received,) = consumer.received
    assert received.headers["authorization"] == "Bearer word"
    assert received.headers["x-team"] == "storage"
    assert received.headers["content-type"] == "application/json"
    assert received.id != "mine"
    assert "webhook-signature" not in received.headers


async def test_what_is_over_is_forgotten_after_a_month_and_what_is_owed_is_not(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(pushed("library/app", "v1"))
    await posting.deliver(target)
    await posting.happen(pushed("library/app", "v2"))
    assert await purge(posting.resources) == 0
    await posting.run(AGE_LOG)
    assert await purge(posting.resources) == 1
    assert await posting.statuses(target) == ["pending"]
    assert await posting.value(COUNT) == 1
