"""Who sends a delivery: one worker at a time, and another one when that has stopped or died."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from aiohttp import web

from app.db import SQL
from app.webhooks.deliver import Deliveries
from app.webhooks.fan_out import list_waited_for
from tests.support.consumer import Consumer, Received, stall
from tests.support.eventually import until
from tests.webhooks.posting import Posting, pushed

LEASE = SQL("""
    UPDATE webhook_deliveries SET leased_until = now() + %(for)s::interval, attempts = 1
    WHERE status = 'pending'
""")
END_LEASE = SQL("UPDATE webhook_deliveries SET leased_until = now()")
LEASED = SQL("SELECT count(*) FROM webhook_deliveries WHERE leased_until IS NOT NULL")


async def test_a_worker_that_is_stopped_hands_back_what_it_did_not_send(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    consumer.answer = stall
    await posting.happen(pushed())
    working = asyncio.create_task(posting.deliver(target))
    await until(consumer.count, (1).__eq__)
    assert await posting.value(LEASED) == 1
    working.cancel()
    await asyncio.wait([working])
    assert await posting.value(LEASED) == 0
    consumer.answer = lambda _: web.Response()
    await posting.deliver(target)
    assert await posting.statuses(target) == ["success"]
    assert len(consumer.received) == 2
    assert [attempt["number"] for attempt in await posting.attempts(target)] == [1]


async def test_what_another_worker_sends_is_left_alone_until_it_has_died(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(pushed())
    await posting.run(LEASE, **{"for": timedelta(seconds=20)})
    await posting.deliver(target)
    assert not consumer.received
    assert await list_waited_for(posting.resources) == []
    await posting.run(LEASE, **{"for": timedelta(0)})
    assert await list_waited_for(posting.resources) == [target]
    await posting.deliver(target)
    assert [attempt["number"] for attempt in await posting.attempts(target)] == [2]


async def test_two_workers_send_everything_once(posting: Posting, consumer: Consumer) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(*(pushed("library/app", f"v{number}") for number in range(200)))
    await asyncio.gather(*(posting.deliver(target) for _ in range(4)))
    ids = [each.id for each in consumer.received]
    assert len(ids) == len(set(ids)) == 200
    assert await posting.statuses(target) == ["success"] * 200


@pytest.mark.parametrize(("status", "settled"), [(200, ["success"]), (500, ["pending"])])
async def test_a_late_answer_counts_where_it_was_taken_and_ends_nobodys_lease_where_it_failed(
    posting: Posting, consumer: Consumer, status: int, settled: list[str]
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(pushed())
    is_over = asyncio.Event()

    async def answer(_: Received) -> web.StreamResponse:
        await is_over.wait()
        return web.Response(status=status)

    consumer.answer = answer
    late = asyncio.create_task(posting.deliver(target))
    await until(consumer.count, (1).__eq__)
    await posting.run(END_LEASE)
    consumer.answer = stall
    current = asyncio.create_task(posting.deliver(target))
    await until(consumer.count, (2).__eq__)
    is_over.set()
    await late
    assert await posting.statuses(target) == settled
    assert await posting.value(LEASED) == (0 if status == 200 else 1)
    current.cancel()
    await asyncio.wait([current])


async def test_a_worker_that_is_to_stop_ends_what_is_on_its_way_and_begins_nothing(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(*(pushed("library/app", f"v{number}") for number in range(100)))
    stop, is_over = asyncio.Event(), asyncio.Event()

    async def answer(_: Received) -> web.StreamResponse:
        await is_over.wait()
        return web.Response()

    consumer.answer = answer
    working = asyncio.create_task(Deliveries(posting.resources, stop=stop).deliver([target]))
    await until(consumer.count, (32).__eq__)
    stop.set()
    is_over.set()
    await working
    assert Counter(await posting.statuses(target)) == {"success": 32, "pending": 68}
    assert await posting.value(LEASED) == 0


@pytest.mark.parametrize("is_ordered", [False, True])
async def test_a_target_is_sent_so_much_at_a_time_by_all_workers_together(
    posting: Posting, consumer: Consumer, *, is_ordered: bool
) -> None:
    target = await posting.target(await posting.policy(), consumer.url, is_ordered=is_ordered)
    await posting.happen(*(pushed(f"library/app{number % 50}", "v1") for number in range(100)))
    answers: list[asyncio.Event] = []

    async def answer(_: Received) -> web.StreamResponse:
        answers.append(asyncio.Event())
        await answers[-1].wait()
        return web.Response()

    consumer.answer = answer
    working = asyncio.create_task(posting.deliver(target))
    await until(consumer.count, (32).__eq__)
    await posting.deliver(target)
    assert len(consumer.received) == 32, "the second worker has found no room"
    answers[0].set()
    await until(consumer.count, (33).__eq__)
    consumer.answer = lambda _: web.Response()
    for waiting in answers:
        waiting.set()
    await working
    assert await posting.statuses(target) == ["success"] * 100
