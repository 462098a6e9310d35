"""Targets that want the events of a repository one after the other, as they happened."""

import asyncio
from collections import defaultdict

from aiohttp import web

from app.events import Cause, outbox
from app.webhooks.deliver import Deliveries
from app.webhooks.fan_out import fan_out
from tests.support.consumer import Consumer, Received
from tests.support.eventually import until
from tests.webhooks.posting import Posting, pushed


def place(received: Received) -> tuple[str, int]:
    data = received.json["event_data"]
    return data["repository"]["name"], int(data["resources"][0]["tag"])


async def test_each_repository_keeps_its_order_through_failures_and_several_workers(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url, is_ordered=True)
    failed: set[str] = set()

    def answer(received: Received) -> web.Response:
        if place(received)[1] % 5 == 0 and received.id not in failed:
            failed.add(received.id)
            return web.Response(status=500)
        return web.Response()

    consumer.answer = answer
    await posting.happen(
        *(pushed(f"library/app{number % 3}", str(number)) for number in range(30)),
    )

    async def deliver() -> list[str]:
        await posting.make_due()
        await posting.end_pause()
        await asyncio.gather(*(posting.deliver(target) for _ in range(3)))
        return await posting.statuses(target)

    await until(deliver, lambda seen: set(seen) == {"success"})
    places = defaultdict(list)
    for received in consumer.received:
        repository, number = place(received)
        places[repository].append(number)
    assert len(failed) == 6
    for numbers in places.values():
        assert numbers == sorted(numbers)


async def test_a_repository_that_fails_holds_up_no_other(posting: Posting, consumer: Consumer) -> None:
    target = await posting.target(await posting.policy(), consumer.url, is_ordered=True)
    consumer.answer = lambda received: web.Response(status=500 if place(received)[0] == "bad" else 200)
    await posting.happen(
        *(pushed(f"library/{name}", str(number)) for number in range(3) for name in ("bad", "good"))
    )
    await posting.deliver(target)
    assert sorted(map(place, consumer.received)) == [("bad", 0), ("good", 0), ("good", 1), ("good", 2)]


async def test_an_event_waits_for_older_ones_that_another_relay_is_taking(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url, is_ordered=True)
    await posting.happen()
    r = posting.resources
    async with r.database.transaction() as tx:
        await outbox.record(tx, Cause("admin"), *(pushed("library/app", str(number)) for number in range(2)))
    async with r.database.transaction() as slow:
        first = await outbox.claim(slow, 1)
        async with r.database.transaction() as fast:
            await fan_out(fast, r, await outbox.claim(fast, 1))
        await posting.deliver(target)
        assert not consumer.received
        await fan_out(slow, r, first)
    await posting.deliver(target)
    assert [place(each)[1] for each in consumer.received] == [0, 1]


async def test_what_happens_while_one_is_sent_waits_for_it(posting: Posting, consumer: Consumer) -> None:
    target = await posting.target(await posting.policy(), consumer.url, is_ordered=True)
    is_over = asyncio.Event()

    async def answer(received: Received) -> web.StreamResponse:
        if place(received) == ("app", 0):
            await is_over.wait()
        return web.Response()

    consumer.answer = answer
    deliveries = Deliveries(posting.resources)
    await posting.happen(pushed("library/app", "0"))
    working = asyncio.create_task(deliveries.deliver([target]))
    await until(consumer.count, (1).__eq__)
    await posting.happen(pushed("library/app", "1"), pushed("library/web", "2"))
    await deliveries.deliver([target])
    await until(consumer.count, (2).__eq__)
    assert place(consumer.received[1]) == ("web", 2)
    is_over.set()
    await working
    assert [place(each)[1] for each in consumer.received] == [0, 2, 1]
