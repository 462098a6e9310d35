"""`python -m bench.webhooks`: how fast webhooks are posted, how soon, and what that costs those who push.

Starts Roadstead as `make up` does, with a consumer on loopback, and fails when a floor is not met.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

import psycopg2

from bench import crowd, processes
from bench.consumer import Consumer, running_consumer
from bench.content import Content
from bench.roadstead import Roadstead
from bench.targets import Target
from bench.workplace import workplace
from bench.writes import pushers

GOAL_PER_S: Final = 2_000
FLOOR_PER_S: Final = 600
FLOOR_P50_MS: Final = 50
FLOOR_P99_MS: Final = 250
FLOOR_RATIO: Final = 0.90
_EVENTS_PER_S: Final = 50
_CLIENTS: Final = 8
_IMAGES: Final = 8

_MAKE_TARGET: Final = """
    WITH policy AS (
        INSERT INTO webhook_policies (project_id, name, event_types, creator)
        SELECT id, 'bench', '{MOVE_TAG}', 'admin' FROM projects WHERE name = 'library' RETURNING id
    )
    INSERT INTO webhook_targets (policy_id, kind, address, payload_format, timeout)
    SELECT id, 'http', %s, 'Default', interval '10 s' FROM policy RETURNING id
"""
_OWE: Final = """
    WITH executed AS (
        INSERT INTO webhook_executions (policy_id, event_id, event_type, occurred_at, operator, data)
        SELECT t.policy_id, gen_random_uuid(), 'MOVE_TAG', now(), 'admin', json_build_object(
            'resources', json_build_array(json_build_object(
                'digest', 'sha256:' || repeat('0', 64), 'tag', 'n' || number,
                'resource_url', 'registry.example.org/library/app:n' || number)),
            'repository', json_build_object('name', 'app', 'namespace', 'library',
                'repo_full_name', 'library/app', 'repo_type', 'private'))
        FROM webhook_targets t, generate_series(%(first)s, %(last)s) AS number WHERE t.id = %(target)s
        RETURNING id
    )
    INSERT INTO webhook_deliveries (execution_id, target_id, event_number, repository_name, give_up_at)
    SELECT id, %(target)s, id, 'library/app', now() + interval '3 days' FROM executed
"""
_HAPPEN: Final = """
    INSERT INTO outbox (type, payload, cause) VALUES ('tag.moved', %s, '{"username": "admin"}');
    SELECT pg_notify('outbox', '');
    COMMIT
"""
_PAUSE: Final = "UPDATE webhook_targets SET paused_at = CASE WHEN %s THEN now() END"


class Bench:
    """A running Roadstead, one target, and numbers that were not posted yet."""

    def __init__(self, roadstead: Roadstead, consumer: Consumer) -> None:
        self.target: Target = roadstead.targets()[0]
        self.consumer = consumer
        self._database = psycopg2.connect(_database_url(self.target.pid))
        self._database.autocommit = True
        self._numbers = count(1)
        self._target_id = self._value(_MAKE_TARGET, (consumer.url,))

    def owe(self, deliveries: int) -> range:
        """Owe so many deliveries, and return their numbers."""
        numbers = self._take(deliveries)
        with self._database.cursor() as cursor:
            cursor.execute(_OWE, {"first": numbers[0], "last": numbers[-1], "target": self._target_id})
        return numbers

    def pause(self, *, is_paused: bool) -> None:
        """Let deliveries wait, or not any longer."""
        with self._database.cursor() as cursor:
            cursor.execute(_PAUSE, (is_paused,))

    def happen(self, events: int, per_s: float) -> list[float]:
        """Let so many events happen, and return how long each took from before its commit to the consumer."""
        numbers, began = self._take(events), time.monotonic()
        committed = []
        with self._database.cursor() as cursor:
            for place, number in enumerate(numbers):
                time.sleep(max(0.0, began + place / per_s - time.monotonic()))
                event = {"type": "tag.moved", "repository_name": "library/app", "tag": f"n{number}"}
                event |= {"digest": "sha256:" + "0" * 64, "previous_digest": "sha256:" + "1" * 64}
                committed.append(time.monotonic())
                cursor.execute(_HAPPEN, (json.dumps(event),))
        came = self.consumer.wait_for(numbers, 20)
        return sorted(there - here for here, there in zip(committed, came, strict=True))

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _take(self, size: int) -> range:
        first = next(self._numbers)
        for _ in range(size - 1):
            next(self._numbers)
        return range(first, first + size)

    def _value(self, statement: str, params: tuple[object, ...]) -> int:
        with self._database.cursor() as cursor:
            cursor.execute(statement, params)
            (value,) = cursor.fetchone() or (0,)
            return int(value)


def main() -> int:
    """Start, measure, print; the exit status is 1 when a floor is not met."""
    parser = argparse.ArgumentParser(prog="python -m bench.webhooks", description=main.__doc__)
    parser.add_argument("--deliveries", type=int, default=20_000, help="of the first line (default 20,000)")
    parser.add_argument("--events", type=int, default=500, help="of the second line (default 500)")
    parser.add_argument("--backlog", type=int, default=100_000, help="of the third line (default 100,000)")
    parser.add_argument("--rounds", type=int, default=12, help="of the third line (default 12)")
    options = parser.parse_args()
    with _running() as bench:
        met = [
            _speed(bench, options.deliveries),
            _latency(bench, options.events),
            _burden(bench, options.backlog, options.rounds),
        ]
    return 0 if all(met) else 1


def _speed(bench: Bench, deliveries: int) -> bool:
    bench.pause(is_paused=True)
    numbers = bench.owe(deliveries)
    bench.pause(is_paused=False)
    roots = ([_worker(bench.target.pid)], [bench.target.pid])
    before = [processes.cpu_seconds(root) for root in roots]
    moments = sorted(bench.consumer.wait_for(numbers, 120))
    cpu, all_cpu = (processes.cpu_seconds(root) - was for root, was in zip(roots, before, strict=True))
    per_s = (deliveries - 1) / (moments[-1] - moments[0])
    print(
        f"deliveries by one worker process: {per_s:,.0f}/s, {1e6 * cpu / deliveries:.0f} us of its CPU each "
        f"and {1e6 * (all_cpu - cpu) / deliveries:.0f} us of PostgreSQL's (floor {FLOOR_PER_S:,}/s, "
        f"goal {GOAL_PER_S:,}/s)",
        flush=True,
    )
    return per_s >= FLOOR_PER_S


def _latency(bench: Bench, events: int) -> bool:
    bench.happen(50, _EVENTS_PER_S)
    times = bench.happen(events, _EVENTS_PER_S)
    p50, p99 = 1000 * statistics.median(times), 1000 * times[int(len(times) * 0.99)]
    print(
        f"commit to POST at {_EVENTS_PER_S} events/s: p50 {p50:.0f} ms, p99 {p99:.0f} ms "
        f"(floors {FLOOR_P50_MS} and {FLOOR_P99_MS} ms)",
        flush=True,
    )
    return p50 < FLOOR_P50_MS and p99 < FLOOR_P99_MS


def _burden(bench: Bench, backlog: int, rounds: int) -> bool:
    bench.pause(is_paused=True)
    numbers = bench.owe(backlog)
    _pushes_per_s(bench)
    alone, ratios, drained, seconds = _pushes_per_s(bench), [], 0, 0.0
    for _ in range(rounds):
        bench.pause(is_paused=False)
        before = len(bench.consumer.received(numbers))
        while len(bench.consumer.received(numbers)) == before:
            time.sleep(0.01)
        began = time.monotonic()
        beside = _pushes_per_s(bench)
        seconds += time.monotonic() - began
        bench.pause(is_paused=True)
        drained += len(bench.consumer.received(numbers)) - before
        afterwards = _pushes_per_s(bench)
        ratios.append(2 * beside / (alone + afterwards))
        alone = afterwards
    ratio, least, most = statistics.median(ratios), min(ratios), max(ratios)
    print(
        f"pushes of small images while {backlog:,} drain, {drained / seconds:,.0f}/s: {ratio:.2f}x "
        f"({least:.2f}-{most:.2f}x, floor {FLOOR_RATIO:.2f}x)"
    )
    return ratio >= FLOOR_RATIO


def _pushes_per_s(bench: Bench) -> float:
    outcome = crowd.run(pushers(bench.target, clients=_CLIENTS, images=_IMAGES))
    return len(outcome.latencies) / outcome.seconds


@contextmanager
def _running() -> Iterator[Bench]:
    roadstead = Roadstead()
    with workplace("bench-webhooks") as directory:
        try:
            roadstead.start(directory / "roadstead", Content(images=(), blobs={}))
            with running_consumer() as consumer:
                bench = Bench(roadstead, consumer)
                yield bench
                bench.close()
        finally:
            roadstead.stop()


def _worker(root: int) -> int:
    """Return the process that posts."""
    return next(
        pid for pid in processes.descendants(root) if processes.command_line(pid)[-1:] == ["webhooks"]
    )


def _database_url(root: int) -> str:
    environment = Path(f"/proc/{_worker(root)}/environ").read_bytes().split(b"\0")
    name = b"ROADSTEAD_DATABASE_URL="
    return next(line.removeprefix(name) for line in environment if line.startswith(name)).decode()


if __name__ == "__main__":
    sys.exit(main())
