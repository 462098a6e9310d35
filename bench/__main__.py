"""`python -m bench`: compare, print the table, write it with the raw figures and a plot."""

import argparse
import dataclasses
import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import flame, machine, results, run
from bench.lines import LINES, LINES_ON, WORKLOADS
from bench.settings import PLANS, QUICK, Plan
from bench.workplace import BUILD, workplace

_ROOT = Path(__file__).resolve().parent.parent
_QUICK_SERVERS = ("roadstead", "docker-registry", "nginx")
_NOT_QUICK = ("roadstead-anonymous",)  # no floor is about it


def main(argv: Sequence[str] | None = None) -> int:
    """Run the comparison; the exit status is 1 when a floor is not met."""
    parser = _parser()
    options = parser.parse_args(argv)
    if sys.platform != "linux":
        parser.error("the benchmark reads /proc, so it needs Linux")
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
    )  # servers are stopped on the way out
    with workplace("bench", parent=options.directory, keep=options.keep) as directory:
        return _profile(directory, options) if options.profile else _compare(directory, options)


def _compare(directory: Path, options: argparse.Namespace) -> int:
    plan, began = _plan(options), time.monotonic()
    storage, lines = options.storage, LINES_ON[options.storage]
    wanted = {line.workload for line in lines if not options.only or line.key in options.only}
    is_short = options.quick and storage == "filesystem"
    servers = options.servers or (list(_QUICK_SERVERS) if is_short else [])
    without = _NOT_QUICK if options.quick or storage == "s3" else ()
    with run.started(directory, servers, _say, storage=storage, without=without) as arena:
        flushes = run.count_flushes(arena, directory) if storage == "filesystem" else {}
        samples = run.measure(arena, [key for key in WORKLOADS if key in wanted], plan, _say)
        outcome = results.Results(
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            storage=storage,
            seconds=round(time.monotonic() - began),
            plan=dataclasses.asdict(plan),
            machine=machine.describe(directory),
            versions=arena.versions,
            labels=arena.labels(),
            flushes=flushes,
            samples=samples,
        )
    is_whole = not (options.quick or options.only or options.servers)
    kept = _ROOT / "bench" / "results" / ("s3" if storage == "s3" else "")
    out = options.out or (kept if is_whole else BUILD / "bench")
    sys.stdout.write(results.write(outcome, out))
    return 0 if outcome.is_good() else 1


def _profile(directory: Path, options: argparse.Namespace) -> int:
    line = next(line for line in LINES if line.key == options.profile)
    with run.started(directory, ["roadstead"], _say) as arena:
        written = flame.record(arena, line.workload, _plan(options), BUILD / f"profile-{line.key}.svg")
    _say(f"wrote {written}")
    return 0


def _plan(options: argparse.Namespace) -> Plan:
    plan = QUICK if options.quick else PLANS[options.storage]
    chosen = {name: getattr(options, name) for name in ("rounds", "seconds", "memory_blob_bytes")}
    return dataclasses.replace(plan, **{name: value for name, value in chosen.items() if value})


def _parser() -> argparse.ArgumentParser:
    keys = [line.key for lines in LINES_ON.values() for line in lines]
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="fewer and shorter rounds, fewer peers: under two minutes")
    add("--storage", choices=LINES_ON, default="filesystem", help="where the blobs lie (default filesystem)")
    add("--only", action="append", choices=keys, metavar="LINE", help=f"measure only this: {', '.join(keys)}")
    add(
        "--servers",
        action="append",
        metavar="NAME",
        default=[],
        help="start only this server (may be repeated)",
    )
    add("--rounds", type=int, help=f"rounds of every line (default {Plan.rounds})")
    add("--seconds", type=int, help=f"length of one measurement of GETs (default {Plan.seconds})")
    add(
        "--memory-blob-bytes",
        type=int,
        help=f"blob size of the memory line (default {Plan.memory_blob_bytes})",
    )
    add(
        "--profile",
        choices=[line.key for line in LINES],
        metavar="LINE",
        help="record a flame graph of a web process instead; needs py-spy",
    )
    add("--directory", type=Path, help="where the servers keep their data during the run (default build/)")
    add(
        "--out",
        type=Path,
        help="where to write (default bench/results/, build/bench/ for a run that is not whole)",
    )
    add("--keep", action="store_true", help="leave the servers' data and logs behind")
    return parser


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    sys.exit(main())
