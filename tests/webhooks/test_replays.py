"""What is replayed begins anew: it is tried as something new is, and its log goes on."""

import asyncio
from datetime import timedelta

from aiohttp import web

from app.db import SQL
from app.webhooks import replay_store
from tests.support.consumer import Consumer, Received
from tests.support.eventually import until
from tests.webhooks.posting import Posting, pushed

WAITS = SQL("SELECT due_at - now() FROM webhook_deliveries WHERE status = 'pending'")
TRY_OFTEN = SQL("UPDATE webhook_deliveries SET attempts = 20")
IDS = SQL("SELECT id FROM webhook_deliveries ORDER BY id")


async def replay_all(posting: Posting) -> None:
    async with posting.resources.database.transaction() as tx:
        after = posting.resources.settings.webhooks.give_up_after
        await replay_store.update_replayed(tx, await tx.values(IDS), give_up_after=after)


async def test_what_is_replayed_waits_as_if_it_had_never_been_tried_and_its_log_goes_on(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(pushed())
    await posting.run(TRY_OFTEN)
    consumer.answer = lambda _: web.Response(status=500)
    await posting.deliver(target)
    await replay_all(posting)
    await posting.deliver(target)
    assert await posting.value(WAITS) < timedelta(seconds=2)
    await posting.make_due()
    await posting.deliver(target)
    assert await posting.value(WAITS) < timedelta(seconds=4)
    assert [attempt["number"] for attempt in await posting.attempts(target)] == [21, 22, 23]


async def test_what_is_replayed_while_it_is_on_its_way_and_fails_is_due_at_once(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(pushed())
    await posting.run(TRY_OFTEN)
    is_over = asyncio.Event()

    async def answer(_: Received) -> web.StreamResponse:
        consumer.answer = lambda _: web.Response(status=500)
        await is_over.wait()
        return web.Response(status=500)

    consumer.answer = answer
    working = asyncio.create_task(posting.deliver(target))
    await until(consumer.count, (1).__eq__)
    await replay_all(posting)
    is_over.set()
    await working
    assert [attempt["number"] for attempt in await posting.attempts(target)] == [21, 22]
    assert timedelta(0) < await posting.value(WAITS) < timedelta(seconds=2)
