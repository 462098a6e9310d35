"""Delivering what is due for a target, as long as something is.

What was claimed is sent at once, without a transaction; what came of it is written down together with the
next claim. A lease keeps others away meanwhile, and lets them in when this process dies.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from app.db import Transaction
from app.resources import Resources
from app.webhooks import delivery_store as store
from app.webhooks.confidential import secrets_of
from app.webhooks.delivery_store import IN_FLIGHT, Receiver
from app.webhooks.formats import Notice
from app.webhooks.model import Target, TargetSecrets
from app.webhooks.pace import Pace
from app.webhooks.room import Room
from app.webhooks.send import Attempt, Claimed, send
from app.webhooks.settle import settle

_MARGIN: Final = timedelta(seconds=15)
_TOGETHER_SECONDS: Final = 0.01
"""What lands within this time of each other is written down together."""
_LONGEST_SECONDS: Final = 60.0
"""A target that never runs dry gives way to the next nudge, so that a job comes to an end."""


class Claim(Struct, frozen=True):
    """Deliveries to send to a target, as it was when they were claimed."""

    target: Target
    secrets: TargetSecrets | None
    deliveries: tuple[Claimed, ...]


class Deliveries:
    """The deliveries of one process: for each target that it sends to, one round of claiming and sending.

    Once `stop` is set nothing more is claimed.
    """

    def __init__(self, r: Resources, *, stop: asyncio.Event | None = None) -> None:
        self._r = r
        self._stop = stop or asyncio.Event()
        self._pace = Pace()
        self._room = Room(r.settings.workers.webhooks_concurrency)
        self._told: dict[int, asyncio.Event] = {}

    async def deliver(self, target_ids: Iterable[int]) -> None:
        """Send what is due for these targets, each for itself; a target that is sent to looks again."""
        results = await asyncio.gather(*map(self._deliver_to, target_ids), return_exceptions=True)
        for error in results:
            if isinstance(error, BaseException):
                raise error

    async def _deliver_to(self, target_id: int) -> None:
        if told := self._told.get(target_id):
            told.set()
            return
        told = self._told[target_id] = asyncio.Event()
        told.set()
        try:
            until = time.monotonic() + _LONGEST_SECONDS

            def is_over() -> bool:
                return self._stop.is_set() or time.monotonic() >= until

            while told.is_set() and not is_over():
                await _Round(self._r, target_id, told, pace=self._pace, room=self._room).run(is_over)
        finally:
            del self._told[target_id]


class _Round:
    """Claims and sends until nothing is due, or it is over."""

    def __init__(self, r: Resources, target_id: int, told: asyncio.Event, *, pace: Pace, room: Room) -> None:
        self._r = r
        self._pace = pace
        self._room = room
        self._held = 0
        self._target_id = target_id
        self._told = told
        self._flying: dict[asyncio.Task[Attempt], Claimed] = {}
        self._landed: list[Attempt] = []

    async def run(self, is_over: Callable[[], bool]) -> None:
        try:
            while True:
                self._told.clear()
                limit = 0 if is_over() else max(0, self._room.share() - len(self._flying))
                self._hold(len(self._flying) + limit)
                began = time.monotonic()
                claim = await self._settle_and_claim(limit)
                took = time.monotonic() - began
                self._landed = []
                self._start(claim)
                self._hold(len(self._flying))
                if not self._flying:
                    return
                if len(self._flying) == IN_FLIGHT:
                    await asyncio.sleep(self._pace.pause(took))
                self._landed = await self._land()
                self._hold(len(self._flying))
        finally:
            self._hold(0)
            if self._flying or self._landed:
                await asyncio.shield(self._hand_back())

    def _hold(self, deliveries: int) -> None:
        self._room.change(deliveries - self._held)
        self._held = deliveries

    async def _settle_and_claim(self, limit: int) -> Claim | None:
        async with self._r.database.transaction() as tx:
            receiver = await store.lock_receiver(tx, self._target_id)
            if receiver is None:
                return None
            if self._landed:
                receiver = await settle(tx, receiver, self._landed, settings=self._r.settings.webhooks)
            return await _claim(tx, self._r, receiver, limit=limit) if limit else None

    def _start(self, claim: Claim | None) -> None:
        if claim is None:
            return
        for claimed in claim.deliveries:
            task = asyncio.create_task(send(self._r.caller, claim.target, claimed, secrets=claim.secrets))
            self._flying[task] = claimed

    async def _land(self) -> list[Attempt]:
        """Return what is over, once something is; nothing where there is more to claim."""
        told = asyncio.create_task(self._told.wait())
        try:
            await asyncio.wait({told, *self._flying}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
        if any(task.done() for task in self._flying):
            await asyncio.wait(self._flying, timeout=_TOGETHER_SECONDS)
        over = [task for task in self._flying if task.done()]
        for task in over:
            del self._flying[task]
        return [task.result() for task in over]

    async def _hand_back(self) -> None:
        """Write down what is over although the worker stops, and leave the rest to others."""
        for task in self._flying:
            task.cancel()
        if self._flying:
            await asyncio.wait(self._flying)
        async with self._r.database.transaction() as tx:
            receiver = await store.lock_receiver(tx, self._target_id)
            if receiver and self._landed:
                receiver = await settle(tx, receiver, self._landed, settings=self._r.settings.webhooks)
            if receiver and any(each.is_probe for each in self._flying.values()):
                health = replace(receiver.health, open_until=receiver.now)
                await store.update_health(tx, self._target_id, health)
            await store.update_handed_back(tx, [(each.id, each.number) for each in self._flying.values()])


async def _claim(tx: Transaction, r: Resources, receiver: Receiver, *, limit: int) -> Claim | None:
    """Take what is due, unless the target is left alone; one delivery finds out whether it is back."""
    target, health = receiver.target, receiver.health
    if not receiver.is_enabled or health.is_left_alone(receiver.now):
        return None
    lease = target.timeout + _MARGIN
    due = await store.list_claimed(tx, target, limit=1 if health.is_probed else limit, lease=lease)
    if not due:
        return None
    if health.is_probed:
        # Nobody else probes until it is known what came of this one.
        await store.update_health(tx, target.id, replace(health, open_until=receiver.now + lease))
    secrets = await secrets_of(tx, r.sealer, [target]) if target.secret_id else {target.id: TargetSecrets()}
    return Claim(
        target=target,
        secrets=secrets.get(target.id),
        deliveries=tuple(_claimed(each, receiver) for each in due),
    )


def _claimed(due: store.Due, receiver: Receiver) -> Claimed:
    return Claimed(
        id=due.id,
        delivery_id=due.delivery_id,
        number=due.number,
        tries=due.tries,
        notice=_notice(due, receiver),
        is_probe=receiver.health.is_probed,
    )


def _notice(due: store.Due, receiver: Receiver) -> Notice:
    return Notice(
        event_id=due.event_id,
        event_type=due.event_type,
        occurred_at=due.occurred_at,
        operator=due.operator,
        request_id=due.request_id,
        project_id=receiver.project_id,
        policy_id=receiver.policy_id,
        data=due.data,
    )
