"""Policies that change while their events are posted: nobody waits for each other, nothing fails."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.management.client import Answer, Caller
from tests.management.webhooks import policy, target
from tests.support.consumer import Consumer
from tests.support.registry import Registry
from tests.webhooks.posting import Posting, pushed

POLICIES = "/projects/library/webhook/policies"
SECONDS = 4.0


SPAN = {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "status": "any"}


class Racing:
    """Does the same again and again until the time is over, and notes how it was answered."""

    def __init__(self, admin: Caller, posting: Posting, url: str) -> None:
        self.admin = admin
        self.posting = posting
        self.path = ""
        self.bodies = [
            policy(targets=[target(address=f"{url}/{place}") for place in places])
            for places in ("abc", "cb", "da", "bdc")
        ]
        self.statuses: dict[str, set[int]] = {}
        self.until = time.monotonic() + SECONDS

    async def ask(self, name: str, act: Callable[[int], Awaitable[Answer]]) -> None:
        number = 0
        while time.monotonic() < self.until:
            self.statuses.setdefault(name, set()).add((await act(number)).status)
            number += 1

    async def of_a_target(self, number: int) -> Answer:
        targets = (await self.admin.get(self.path)).json["targets"]
        what = ("pause", "resume", "secret", "resume")[number % 4]
        return await self.admin.post(f"{self.path}/targets/{targets[number % len(targets)]['id']}/{what}")

    async def come_and_go(self, number: int) -> Answer:
        made = await self.admin.post(POLICIES, self.bodies[number % 4] | {"name": "short"})
        return await self.admin.delete(f"{POLICIES}/{made.new_id}")

    async def post(self) -> None:
        while time.monotonic() < self.until:
            targets = await self.posting.happen(*(pushed() for _ in range(5)))
            await self.posting.deliver(*targets)


@pytest.mark.slow
async def test_changes_repairs_and_deliveries_at_once_all_succeed(
    registry: Registry, posting: Posting, consumer: Consumer
) -> None:
    admin = Caller(registry, "admin", registry.resources.settings.admin_password)
    racing = Racing(admin, posting, consumer.url)
    path = racing.path = f"{POLICIES}/{(await admin.post(POLICIES, racing.bodies[0])).new_id}"
    await asyncio.gather(
        racing.ask("change", lambda number: admin.put(path, racing.bodies[number % 4])),
        racing.ask("replay", lambda _: admin.post(f"{path}/replay", SPAN)),
        racing.ask("target", racing.of_a_target),
        racing.ask("test", lambda _: admin.post(f"{path}/test")),
        racing.ask("policy", racing.come_and_go),
        racing.post(),
        racing.post(),
    )
    assert racing.statuses.pop("target") <= {200, 404}
    assert racing.statuses == {name: {200} for name in ("change", "replay", "test", "policy")}
    assert consumer.received
