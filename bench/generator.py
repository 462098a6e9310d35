"""A load generator for GETs: a process for each connection, which reads into a buffer of a megabyte."""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from urllib.parse import urlsplit

from bench import crowd
from bench.content import MANIFEST_TYPE
from bench.targets import Access
from bench.wire import AnswerError, Connection, Response

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


def run(
    access: Access, paths: Sequence[str], connections: int, seconds: float, *, is_following: bool = False
) -> Result:
    """Ask for the paths in turn over each of the connections; redirects are followed, or errors."""
    getters = [
        _Getter(access, (*paths[start:], *paths[:start]), seconds, is_following)
        for start in _starts(paths, connections)
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
    is_following: bool

    def prepare(self) -> Iterator[crowd.Step]:
        return self._steps(self.access.connect())

    def _steps(self, connection: Connection) -> Iterator[crowd.Step]:
        end = time.monotonic() + self.seconds
        with connection, Elsewhere() as elsewhere:
            for path in cycle(self.paths):
                yield partial(_get, connection, path, elsewhere if self.is_following else None)
                if time.monotonic() >= end:
                    return


class Elsewhere(ExitStack):
    """Connections to where redirects lead, kept as those to the server are."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, Connection] = {}

    def get(self, url: str) -> Response:
        """Ask there, without credentials."""
        parts = urlsplit(url)
        connection = self._known.get(parts.netloc)
        if connection is None:
            connection = Connection(parts.hostname or "", parts.port or 80)
            self._known[parts.netloc] = self.enter_context(connection)
        return connection.request("GET", f"{parts.path}?{parts.query}", keep=False)


def _get(connection: Connection, path: str, elsewhere: Elsewhere | None) -> int:
    response = connection.request("GET", path, headers=_HEADERS, keep=False)
    if elsewhere is not None and response.status == 307:
        response = elsewhere.get(response.headers["location"])
    if response.status != 200:
        raise AnswerError(f"GET {path}: {response.status}")
    return response.length
