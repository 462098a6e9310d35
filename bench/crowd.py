"""Many clients at once: each in a process of its own, started together once all of them are ready."""

import multiprocessing
import multiprocessing.synchronize
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Protocol

_PREPARE_TIMEOUT = 300.0

Step = Callable[[], int]


class Client(Protocol):
    """A picklable client."""

    def prepare(self) -> Iterable[Step]:
        """Make the data, and return the steps of the work; each returns how many bytes it moved."""


@dataclass(frozen=True)
class Outcome:
    """What a crowd did: seconds from first start to last end, bytes moved, and each step's seconds."""

    seconds: float
    bytes: int
    latencies: tuple[float, ...]

    def percentile_ms(self, percent: float) -> float:
        """Return the latency that this share of the steps did not exceed."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def run(clients: Sequence[Client]) -> Outcome:
    """Run the clients at the same time, one process each."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(len(clients), timeout=_PREPARE_TIMEOUT)
    with ProcessPoolExecutor(len(clients), context, _Gate.set, (barrier,)) as pool:
        results = list(pool.map(_work, clients))
    return Outcome(
        seconds=max(result.ended for result in results) - min(result.started for result in results),
        bytes=sum(result.bytes for result in results),
        latencies=tuple(latency for result in results for latency in result.latencies),
    )


class _Gate:
    """Holds the barrier in each client process: it can be inherited, but not sent."""

    barrier: multiprocessing.synchronize.Barrier

    @classmethod
    def set(cls, barrier: multiprocessing.synchronize.Barrier) -> None:
        cls.barrier = barrier


@dataclass(frozen=True)
class _Share:
    """What one client did, on the clock that all processes have in common."""

    started: float
    ended: float
    bytes: int
    latencies: list[float]


def _work(client: Client) -> _Share:
    try:
        steps = client.prepare()
    except BaseException:
        _Gate.barrier.abort()  # the others need not wait for us
        raise
    _Gate.barrier.wait()
    moved, latencies = 0, []
    started = now = time.monotonic()
    for step in steps:
        moved += step()
        before, now = now, time.monotonic()
        latencies.append(now - before)
    return _Share(started, now, moved, latencies)
