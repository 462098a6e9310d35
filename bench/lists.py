"""`python -m bench.lists`: how long pages of the management API take on a large database.

Fills a database of its own (1,000 projects, 20,000 repositories, 1,000,000 artifacts, 3,000,000 tags), asks a
web process for pages, and fails when the slowest hundredth takes longer than the floor allows.
"""

import argparse
import base64
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

from bench import processes
from bench.lists_content import ARTIFACTS, LARGE_REPOSITORY, PROJECTS, REPOSITORIES, Size, fill
from bench.wire import Connection
from bench.workplace import workplace
from cli.embedded import postgres
from cli.embedded.postgres import Postgres
from cli.programs import make_private_directory, start, unprivileged_account

FLOOR_SECONDS: Final = 0.050
_FLAGS: Final = (
    "with_tag=true&with_label=true&with_accessory=true&with_immutable_status=true"
    "&with_scan_overview=true&with_sbom_overview=true"
)
_PRIME: Final = 7_919
_PASSWORD: Final = "Bench-" + secrets.token_hex(8)


_numbers = count(1)


def _one_of(number: int) -> int:
    """Return one of 1 to `number`, another at every call."""
    return 1 + next(_numbers) * _PRIME % number


def _repository(size: Size) -> str:
    number = _one_of(size.repositories)
    return f"/projects/bench-{1 + number % size.projects}/repositories/repository-{number}"


def _project(size: Size) -> str:
    return f"/projects/bench-{_one_of(size.projects)}"


def _large(_size: Size) -> str:
    project, _, name = LARGE_REPOSITORY.partition("/")
    return f"/projects/{project}/repositories/{name}/artifacts?{_FLAGS}"


PAGES: Final[dict[str, Callable[[Size], str]]] = {
    "artifacts, 10": lambda size: f"{_repository(size)}/artifacts?{_FLAGS}",
    "artifacts, 100": lambda size: f"{_repository(size)}/artifacts?{_FLAGS}&page_size=100",
    "artifacts by a tag": lambda size: f"{_repository(size)}/artifacts?{_FLAGS}&q=tags=~v20.",
    "artifacts of a project": lambda size: f"{_project(size)}/artifacts?{_FLAGS}",
    "one artifact": lambda size: f"{_repository(size)}/artifacts/v20.1?{_FLAGS}",
    "repositories of a project": lambda size: f"{_project(size)}/repositories?page_size=100",
    "all repositories, 10": lambda size: f"/repositories?page={_one_of(size.repositories // 10)}",
    "all repositories, 100": lambda _: "/repositories?page_size=100",
    "projects, 10": lambda size: f"/projects?page={_one_of(size.projects // 10)}",
    "projects, 100": lambda _: "/projects?page_size=100",
    "repositories by name": lambda size: f"/repositories?q=name=~{_one_of(size.repositories)}",
}


def main() -> int:
    """Fill, measure, print; the exit status is 1 when the floor is not met."""
    parser = argparse.ArgumentParser(prog="python -m bench.lists", description=main.__doc__)
    parser.add_argument("--requests", type=int, default=300, help="requests per page (default 300)")
    parser.add_argument("--share", type=float, default=1.0, help="of the whole database (default 1)")
    parser.add_argument(
        "--large", type=int, default=0, help="artifacts of one large repository, measured too"
    )
    options = parser.parse_args()
    size = Size(
        projects=max(10, round(PROJECTS * options.share)),
        repositories=max(200, round(REPOSITORIES * options.share)),
        artifacts=ARTIFACTS // REPOSITORIES,
        large=options.large,
    )
    with (
        workplace("bench-lists") as directory,
        tempfile.TemporaryDirectory(prefix="bench-") as short,
        _database(directory, short) as server,
    ):
        environment = _environment(server.url(), directory)
        _run("migrate", environment)
        print(fill(server.url(role=postgres.ADMIN), size), flush=True)
        with _web_process(environment, directory / "web.log") as port:
            return _measure(port, size, options.requests)


@contextmanager
def _database(directory: Path, short: str) -> Iterator[Postgres]:
    """Run a database whose socket lies in a directory with a short name."""
    account = unprivileged_account()
    Path(short).chmod(0o711)
    server = Postgres(
        prefix=postgres.find_prefix(""),
        home=directory / "postgres",
        sockets=make_private_directory(Path(short) / "socket", account),
        log=directory / "postgres.log",
        password=secrets.token_hex(),
        admin_password=secrets.token_hex(),
        account=account,
        options={"shared_buffers": "512MB"},
        is_durable=False,
    )
    server.initialise()
    with start(server.program) as process:
        try:
            processes.wait_for(lambda: server.is_ready(process.pid), process, server.log)
            yield server
        finally:
            process.send_signal(server.program.stop_signal)


def _environment(url: str, directory: Path) -> dict[str, str]:
    return {
        "ROADSTEAD_DATA": str(directory / "data"),
        "ROADSTEAD_LISTEN": f"127.0.0.1:{processes.free_port()}",
        "ROADSTEAD_DATABASE_URL": url,
        "ROADSTEAD_AUTH_SECRET_KEY": secrets.token_hex(32),
        "ROADSTEAD_ADMIN_PASSWORD": _PASSWORD,
        "ROADSTEAD_PROCESSES": "1",
    }


def _run(verb: str, environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "cli", verb], env=os.environ | environment, check=True)


@contextmanager
def _web_process(environment: dict[str, str], log: Path) -> Iterator[int]:
    port = int(environment["ROADSTEAD_LISTEN"].rpartition(":")[2])
    process = processes.spawn([sys.executable, "-m", "cli", "serve"], log, environment)
    try:
        processes.wait_for(lambda: _is_up(port), process, log)
        yield port
    finally:
        processes.stop(process)


def _is_up(port: int) -> bool:
    with Connection("127.0.0.1", port) as connection:
        return connection.request("GET", "/readyz").status == 200


def _measure(port: int, size: Size, requests: int) -> int:
    pages = dict(PAGES)
    if size.large:
        pages["a large repository"] = _large
    basic = base64.b64encode(f"admin:{_PASSWORD}".encode()).decode()
    slow = []
    print(f"{'page':28}{'p50 ms':>10}{'p99 ms':>10}")
    with Connection("127.0.0.1", port, f"Basic {basic}") as connection:
        for path in pages.values():
            _seconds(connection, path(size))  # passwords and connections are new only once
        for name, path in pages.items():
            times = sorted(_seconds(connection, path(size)) for _ in range(requests))
            p50, p99 = statistics.median(times), times[int(len(times) * 0.99)]
            print(f"{name:28}{p50 * 1000:10.1f}{p99 * 1000:10.1f}", flush=True)
            if p99 > FLOOR_SECONDS and name in PAGES:
                slow.append(name)
    print(f"over {FLOOR_SECONDS * 1000:.0f} ms: {', '.join(slow) or 'none'}")
    return 1 if slow else 0


def _seconds(connection: Connection, path: str) -> float:
    began = time.perf_counter()
    answer = connection.request("GET", f"/api/v2.0{path}")
    seconds = time.perf_counter() - began
    if answer.status != 200:
        raise processes.ServerError(f"{path}: {answer.status} {answer.body[:200]!r}")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
