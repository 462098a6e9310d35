"""Nothing that was answered is lost, whichever processes are killed while clients push, or all of them."""

import hashlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import psycopg2
import pytest

from cli.datadir import DataDirectory
from cli.embedded.postgres import url_of
from cli.programs import unprivileged_account
from tests.e2e.clients.wire import Account, Wire
from tests.flows.pushers import Pushed, Pusher
from tests.support.roadstead import UNMEASURED, RunningRoadstead, roadstead_up
from tests.support.scratch import short_directory
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

SEED = 20261121
PUSHERS = 4
PUSHES_BETWEEN_KILLS = 4
VICTIMS = ["serve --fd", "--queue events", "postgres -D", "--queue maintenance", "valkey", "serve --fd"]
ADMIN = Account("admin", "Admin-password-1")

OWED = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM pending_jobs)"
ENTRIES = "SELECT resource FROM audit_logs WHERE operation = 'push' AND resource_type = 'artifact'"
BLOBS = "SELECT digest FROM blobs"


@contextmanager
def running(data: Path, port: int) -> Iterator[RunningRoadstead]:
    with roadstead_up(
        data,
        ROADSTEAD_PROCESSES="2",
        ROADSTEAD_LISTEN=f"127.0.0.1:{port}",
        ROADSTEAD_ADMIN_PASSWORD=ADMIN.password,
        ROADSTEAD_WORKERS_HEARTBEAT="0.5",
        **UNMEASURED,
    ) as up:
        yield up


@contextmanager
def pushing(wire: Wire, random: Random) -> Iterator[tuple[list[Pusher], threading.Semaphore]]:
    """Have clients push until the block ends; the semaphore counts the images that are pushed."""
    done, counted = threading.Event(), threading.Semaphore(0)
    pushers = [
        Pusher(wire, f"crash/c{n}", Random(random.random()))  # noqa: S311 - it only has to be the same every time
        for n in range(PUSHERS)
    ]
    threads = [threading.Thread(target=pusher.run, args=(done, counted)) for pusher in pushers]
    for thread in threads:
        thread.start()
    try:
        yield pushers, counted
    finally:
        done.set()
        for thread in threads:
            thread.join()


def wait_for_pushes(counted: threading.Semaphore, count: int) -> None:
    for _ in range(count):
        assert counted.acquire(timeout=60), "nothing is pushed any more"


def query(data: Path, statement: str) -> list[tuple[Any, ...]]:
    directory = DataDirectory(data, lock=-1, account=unprivileged_account())
    url = url_of(directory.sockets, directory.secrets().postgres)
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_what_was_answered_survives_every_kill() -> None:
    random = Random(SEED)  # noqa: S311 - it only has to be the same every time
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    wire = Wire(f"127.0.0.1:{port}", ADMIN.basic)
    with short_directory() as directory, ExitStack() as stack:
        data = directory / "data"
        up = stack.enter_context(running(data, port))
        with pushing(wire, random) as (pushers, counted):
            wait_for_pushes(counted, PUSHERS)
            for victim in random.sample(VICTIMS, len(VICTIMS)):
                os.kill(up.child(victim), signal.SIGKILL)
                wait_for_pushes(counted, random.randint(1, PUSHES_BETWEEN_KILLS))
            up.kill()
            stack.enter_context(running(data, port))
            wait_for_pushes(counted, PUSHERS)
        pushed = [image for pusher in pushers for image in pusher.pushed]
        assert sum(pusher.failures for pusher in pushers) > 0, "nobody noticed the kills"
        check_content(wire, pushed)
        check_storage(data)
        check_events(data, pushed)


def check_content(wire: Wire, pushed: list[Pushed]) -> None:
    """Every image that was answered 201 is there, byte for byte, by tag and by digest."""
    for image in pushed:
        for reference in (image.tag, image.digest):
            answer = wire.send("GET", f"/v2/{image.repository}/manifests/{reference}")
            assert (answer.status, answer.body) == (200, image.manifest)
        for digest, content in image.blobs.items():
            answer = wire.send("GET", f"/v2/{image.repository}/blobs/{digest}")
            assert (answer.status, answer.body == content) == (200, True)


def check_storage(data: Path) -> None:
    """What storage has under a digest is of that digest, and has all that the database says is there."""
    found = set()
    for path in (data / "storage" / "blobs" / "sha256").rglob("*"):
        if path.is_file():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
            found.add(f"sha256:{path.name}")
    assert {digest for (digest,) in query(data, BLOBS)} <= found


def check_events(data: Path, pushed: list[Pushed]) -> None:
    """Every push is in the audit log, and nothing is owed any more."""
    wait_until(lambda: query(data, OWED) == [(0,)], "every event has had its effect")
    entries = {resource for (resource,) in query(data, ENTRIES)}
    assert {f"{image.repository}:{image.tag}@{image.digest}" for image in pushed} <= entries
