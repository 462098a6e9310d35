"""After 201 every event reaches every consumer, whatever is killed and however the consumers behave.

`python -m tests.flows.test_no_event_lost` prints what happened as a table.
"""

import json
import os
import signal
import socket
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from redis import Redis

from cli.datadir import DataDirectory
from cli.embedded import valkey
from cli.programs import unprivileged_account
from tests.e2e.clients.wire import Answer, Wire
from tests.flows.consumers import (
    Consumer,
    Crowd,
    Seen,
    ask_for_patience,
    consuming,
    fail,
    send_elsewhere,
    stall,
    talk_nonsense,
)
from tests.flows.pushers import Pushed
from tests.flows.test_crash import ADMIN, pushing, query, running, wait_for_pushes
from tests.support.roadstead import RunningRoadstead
from tests.support.scratch import short_directory
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

SEED: Final = 20261122
PUSHES: Final = 300
BETWEEN: Final = 12
"""Pushes from one kill to the next."""
FORGETS: Final = "FLUSHALL"
VICTIMS: Final = (
    "--queue webhooks",
    "serve --fd",
    "--queue events",
    FORGETS,
    "postgres -D",
    "valkey",
    "--queue webhooks",
    "--queue maintenance",
)
PROJECT: Final = "crash"
POLICIES: Final = f"/api/v2.0/projects/{PROJECT}/webhook/policies"
ORDERED: Final = "in-order"
LATE: Final = "answers-late"
PATIENCE_SECONDS: Final = 240.0
"""Whoever fails five times in a row is left alone for 10 s, then for 20, 40, 80 if probes fail, too."""

OWED: Final = """
    SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM webhook_deliveries WHERE status = 'pending')
"""
ATTEMPTS: Final = """
    SELECT target.address, count(*), count(DISTINCT attempt.delivery_id)
    FROM webhook_attempts attempt
    JOIN webhook_deliveries delivery ON delivery.id = attempt.delivery_id
    JOIN webhook_targets target ON target.id = delivery.target_id
    GROUP BY target.address
"""


def consumers() -> list[Consumer]:
    return [
        Consumer("steady"),
        Consumer("fails", fail),
        Consumer("asks-for-patience", ask_for_patience),
        Consumer("sends-elsewhere", send_elsewhere),
        Consumer("stalls", stall),
        Consumer(LATE, late_seconds=0.3),
        Consumer("talks-nonsense", talk_nonsense),
        Consumer(ORDERED, fail),
    ]


@dataclass
class Run:
    """What one run did and saw."""

    consumers: list[Consumer]
    kills: Counter[str] = field(default_factory=Counter)
    pushed: list[Pushed] = field(default_factory=list)
    failures: int = 0
    attempts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def table(self) -> str:
        """Return the run as Markdown."""
        kills = ", ".join(f"{name} {count}x" for name, count in sorted(self.kills.items()))
        lines = [
            f"{len(self.pushed)} pushes answered 201; clients saw {self.failures} failures. Killed: {kills}.",
            "",
            "| consumer | pushes seen | attempts recorded | seen twice or more | forged | lost | invented |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [self._line(consumer) for consumer in self.consumers]
        return "\n".join(lines)

    def _line(self, consumer: Consumer) -> str:
        seen = Counter(self.names_seen(consumer))
        again = sum(count > 1 for count in seen.values())
        lost, invented = self.expected - seen.keys(), seen.keys() - self.expected
        attempts, _ = self.attempts[consumer.name]
        return (
            f"| {consumer.name} | {len(seen)} | {attempts} | {again} | {len(consumer.forged)} "
            f"| {len(lost)} | {len(invented)} |"
        )

    @property
    def expected(self) -> set[str]:
        return {f"{image.repository}:{image.tag}" for image in self.pushed}

    @staticmethod
    def names_seen(consumer: Consumer) -> list[str]:
        return [f"{seen.repository}:{seen.tag}" for seen in consumer.seen]


def test_every_event_reaches_every_consumer_whatever_is_killed() -> None:
    run = whole_run()
    for consumer in run.consumers:
        assert consumer.forged == [], "a delivery was not signed as it should be"
        assert set(run.names_seen(consumer)) == run.expected, consumer.name
        assert each_delivery_has_one_name(consumer)
    in_order = next(consumer for consumer in run.consumers if consumer.name == ORDERED)
    assert overtaking(in_order, run.pushed) == []
    assert run.failures > 0, "nobody noticed the kills"


def each_delivery_has_one_name(consumer: Consumer) -> bool:
    """Whether an id stands for one event: by it a consumer knows what it has seen."""
    named = {(seen.delivery_id, seen.repository, seen.tag) for seen in consumer.seen}
    return len(named) == len({delivery_id for delivery_id, _, _ in named})


def overtaking(consumer: Consumer, pushed: list[Pushed]) -> list[Seen]:
    """Return what was seen before something that was pushed earlier; what comes again overtakes nothing."""
    waiting: dict[str, list[str]] = {}
    for image in pushed:
        waiting.setdefault(image.repository, []).append(image.tag)
    found = []
    for seen in consumer.seen:
        tags = waiting[seen.repository]
        if seen.tag in tags and tags.pop(0) != seen.tag:
            found.append(seen)
    return found


def whole_run() -> Run:
    """Push while everything is killed in turn, and wait until nothing is owed any more."""
    random = Random(SEED)  # noqa: S311 - it only has to be the same every time
    with ExitStack() as stack:
        run = Run(consumers())
        crowd = stack.enter_context(consuming(*run.consumers))
        data, port = stack.enter_context(short_directory()) / "data", free_port()
        up = stack.enter_context(running(data, port))
        wire = Wire(f"127.0.0.1:{port}", ADMIN.basic)
        subscribe(wire, crowd)
        with pushing(wire, random) as (pushers, counted):
            for turn in range(PUSHES // BETWEEN):
                wait_for_pushes(counted, BETWEEN)
                run.kills[strike(up, data, turn)] += 1
        run.pushed = [image for pusher in pushers for image in pusher.pushed]
        run.failures = sum(pusher.failures for pusher in pushers)
        wait_until(lambda: query(data, OWED) == [(0, 0)], "all is delivered", seconds=PATIENCE_SECONDS)
        run.attempts = {
            address.rpartition("/")[2]: (attempts, deliveries)
            for address, attempts, deliveries in query(data, ATTEMPTS)
        }
    return run


def subscribe(wire: Wire, crowd: Crowd) -> None:
    """Make a project and a policy that posts its pushes to every consumer, and tell each its secret."""
    send(wire, 201, "POST", "/api/v2.0/projects", {"project_name": PROJECT})
    targets = [
        {
            "type": "http",
            "address": crowd.url_of(consumer),
            "timeout_seconds": 2,
            "is_ordered": consumer.name == ORDERED,
        }
        for consumer in crowd.consumers.values()
    ]
    policy = {"name": "all", "enabled": True, "event_types": ["PUSH_ARTIFACT"], "targets": targets}
    place = send(wire, 201, "POST", POLICIES, policy).headers["location"]
    for target in send(wire, 200, "GET", f"{place}/targets").json():
        made = send(wire, 200, "POST", f"{place}/targets/{target['id']}/secret").json()
        crowd.consumers[target["address"].rpartition("/")[2]].secret = made["secret"]


def send(wire: Wire, status: int, method: str, path: str, body: Any = None) -> Answer:
    document = None if body is None else json.dumps(body).encode()
    answer = wire.send(method, path, body=document, headers={"Content-Type": "application/json"})
    assert answer.status == status, answer.body
    return answer


def strike(up: RunningRoadstead, data: Path, turn: int) -> str:
    """Kill the next victim, or have Valkey forget everything, and return what it was."""
    chosen = VICTIMS[turn % len(VICTIMS)]
    if chosen == FORGETS:
        forget_everything(data)
    else:
        os.kill(up.child(chosen), signal.SIGKILL)
    return chosen


def forget_everything(data: Path) -> None:
    directory = DataDirectory(data, lock=-1, account=unprivileged_account())
    with Redis.from_url(valkey.url_of(directory.sockets, directory.secrets().valkey)) as queues:
        queues.flushall()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


if __name__ == "__main__":
    print(whole_run().table())  # noqa: T201 - what it is for
