"""A load generator for GETs: a process for each connection, which reads into a buffer of a megabyte."""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle

from bench import crowd
from bench.content import MANIFEST_TYPE
from bench.targets import Access
from bench.wire import AnswerError, Connection

_HEADERS = {"Accept": MANIFEST_TYPE}


@dataclass(frozen=True)
class Result:
    """What a generator counted; latencies in milliseconds."""

    requests: int
    bytes: int
    seconds: float
    mean: float
    p50: float
    p99: float
    errors: int

    def busy_connections(self) -> float:
        """Return how many connections were waiting for an answer at a time, by Little's law."""
        return self.requests / self.seconds * self.mean / 1000


def run(access: Access, paths: Sequence[str], connections: int, seconds: float) -> Result:
    """Ask for the paths in turn over each of the connections."""
    getters = [
        _Getter(access, (*paths[start:], *paths[:start]), seconds) for start in _starts(paths, connections)
    ]
    outcome = crowd.run(getters)
    return Result(
        requests=len(outcome.latencies),
        bytes=outcome.bytes,
        seconds=outcome.seconds,
        mean=1000 * statistics.fmean(outcome.latencies),
        p50=outcome.percentile_ms(50),
        p99=outcome.percentile_ms(99),
        errors=0,
    )


def _starts(paths: Sequence[str], connections: int) -> Iterator[int]:
    return (number % len(paths) for number in range(connections))


@dataclass(frozen=True)
class _Getter:
    """Asks over one connection until the time is up."""

    access: Access
    paths: tuple[str, ...]
    seconds: float

    def prepare(self) -> Iterator[crowd.Step]:
        return self._steps(self.access.connect())

    def _steps(self, connection: Connection) -> Iterator[crowd.Step]:
        end = time.monotonic() + self.seconds
        with connection:
            for path in cycle(self.paths):
                yield partial(_get, connection, path)
                if time.monotonic() >= end:
                    return


def _get(connection: Connection, path: str) -> int:
    response = connection.request("GET", path, headers=_HEADERS, keep=False)
    if response.status != 200:
        raise AnswerError(f"GET {path}: {response.status}")
    return response.length
