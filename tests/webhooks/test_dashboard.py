"""Webhooks among the jobs that operators look after: seen, paused, resumed and stopped."""

from app.events import Cause
from app.jobservice import control, look
from app.jobservice.control import Action
from app.jobservice.model import KindOfJob
from app.webhooks.fan_out import list_waited_for
from tests.support.consumer import Consumer
from tests.webhooks.posting import Posting, pushed


async def seen(posting: Posting) -> KindOfJob:
    async with posting.resources.database.autocommit() as statements:
        kinds = await look.list_kinds(statements)
    return next(kind for kind in kinds if kind.name == "deliver_webhooks")


async def act(posting: Posting, action: Action) -> None:
    async with posting.resources.database.transaction() as tx:
        await control.act_on_kind(tx, Cause("admin"), "WEBHOOK", action=action)


async def test_paused_webhooks_wait_and_are_sent_when_they_are_resumed(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await act(posting, "pause")
    await posting.happen(pushed())
    assert await list_waited_for(posting.resources) == []
    await posting.deliver(target)
    assert consumer.received == []
    kind = await seen(posting)
    assert (kind.waiting, kind.running, kind.is_paused) == (1, 0, True)
    assert kind.oldest_at
    await act(posting, "resume")
    assert await list_waited_for(posting.resources) == [target]
    await posting.deliver(target)
    assert len(consumer.received) == 1
    kind = await seen(posting)
    assert (kind.waiting, kind.is_paused, kind.oldest_at) == (0, False, None)


async def test_stopped_webhooks_are_not_sent(posting: Posting, consumer: Consumer) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    await posting.happen(pushed())
    await act(posting, "stop")
    await posting.deliver(target)
    assert consumer.received == []
    assert await posting.statuses(target) == ["stopped"]
