"""The run: start every server, load the same content into each, then measure them in alternation."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import content, durability, nginx, objects, peers, processes, roadstead, targets
from bench.content import Content
from bench.lines import WORKLOADS
from bench.reads import Sample
from bench.settings import Plan
from bench.targets import Server, Target

Say = Callable[[str], None]
Samples = dict[str, dict[str, list[Sample]]]


@dataclass(frozen=True)
class Arena:
    """The servers of a run, started and loaded."""

    targets: tuple[Target, ...]
    versions: dict[str, str]
    files: Content

    def becomes_quiet(self) -> bool:
        """Wait until no server has anything left to do; False when that does not come to pass."""
        return processes.wait_until_quiet(sorted({target.pid for target in self.targets}))

    def labels(self) -> dict[str, str]:
        """Return what the columns are called."""
        return {target.name: target.label for target in self.targets}


@contextmanager
def started(
    directory: Path,
    only: Sequence[str],
    say: Say,
    *,
    storage: str = "filesystem",
    without: Sequence[str] = (),
) -> Iterator[Arena]:
    """Start the servers, load them but for the columns left out, and stop them in the end."""
    servers = [server for server in _known(storage) if not only or server.name in only]
    files = content.make()
    columns: list[Target] = []
    with ExitStack() as stack:
        for server in servers:
            say(f"starting {server.name}: {server.version()}")
            server.start(directory / server.name, files)
            stack.callback(server.stop)
            columns += [target for target in server.targets() if target.name not in without]
        for target in columns:
            targets.load(target, files)
        yield Arena(tuple(columns), {server.name: server.version() for server in servers}, files)


def _known(storage: str) -> Sequence[Server]:
    if storage == "s3":
        return objects.found()
    return (*roadstead.found(), *peers.found(), *nginx.found())


def measure(arena: Arena, keys: Sequence[str], plan: Plan, say: Say) -> Samples:
    """Measure the workloads one after the other, and in each the targets in turn, round by round.

    Every other round goes the other way, so that nobody always comes after the same.
    """
    samples: Samples = {}
    for key in keys:
        station = WORKLOADS[key]
        takers = [target for target in arena.targets if station.takes(target)]
        samples[key] = {target.name: [] for target in takers}
        for target in takers:
            station.workload.warm_up(target, arena.files, plan)
        for number in range(station.rounds(plan)):
            for target in takers if number % 2 == 0 else reversed(takers):
                sample = _measure_once(arena, key, target, plan=plan, say=say)
                samples[key][target.name].append(sample)
    return samples


def _measure_once(arena: Arena, key: str, target: Target, *, plan: Plan, say: Say) -> Sample:
    if not arena.becomes_quiet():
        say("a server is not at rest: it takes part in what is measured next")
    began = time.monotonic()
    sample = WORKLOADS[key].workload.measure(target, arena.files, plan)
    figures = ", ".join(f"{name} {value:.4g}" for name, value in sample.items())
    say(f"{key} {target.name} ({time.monotonic() - began:.1f} s): {figures}")
    return sample


def count_flushes(arena: Arena, directory: Path) -> dict[str, int | None]:
    """Count for each registry what one small upload flushes to the disk."""
    return {
        target.name: durability.flushes(target, directory / f"{target.name}.strace")
        for target in arena.targets
        if target.is_pushed_to
    }
