"""The registry under test: the program that a user starts, as a process of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.clients.wire import Account, Wire

ROOT = Path(__file__).parents[3]
START_TIMEOUT = 30
STOP_TIMEOUT = 30


@dataclass(frozen=True)
class Registry:
    """A running registry, and who may use it how."""

    address: str
    environment: dict[str, str]
    admin: Account
    stranger: Account
    """A user who belongs to no project."""

    @property
    def anyone(self) -> Wire:
        return Wire(self.address)

    @property
    def wire(self) -> Wire:
        return Wire(self.address, self.admin.basic)

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until a started process is ready; shows its log when it is not."""
    deadline = time.monotonic() + START_TIMEOUT
    while not condition():
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"{process.args!r} is not ready:\n{log.read_text()}"
        time.sleep(0.02)


def is_ready(address: str) -> bool:
    try:
        return Wire(address).send("GET", "/readyz").status == 200
    except OSError:
        return False


def roadstead(environment: dict[str, str], *arguments: str, stdin: str = "") -> None:
    command = [sys.executable, "-m", "cli", *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"


@contextlib.contextmanager
def running_registry(directory: Path, **settings: str) -> Iterator[Registry]:
    """Starts it on a fresh data directory; at the end it must stop cleanly when interrupted."""
    address = f"127.0.0.1:{free_port()}"
    admin, stranger = Account("admin", "Admin-password-1"), Account("stranger", "Stranger-password-1")
    environment = {
        "PATH": os.environ["PATH"],
        "ROADSTEAD_DATA": str(directory / "data"),
        "ROADSTEAD_LISTEN": address,
        "ROADSTEAD_ADMIN_PASSWORD": admin.password,
        **settings,
    }
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "up"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        wait_for(lambda: is_ready(address), process, log)
        roadstead(environment, "project", "create", "public", "--public")
        roadstead(environment, "project", "create", "private")
        roadstead(environment, "user", "create", stranger.name, "--password-stdin", stdin=stranger.password)
        yield Registry(address, environment, admin, stranger)
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(STOP_TIMEOUT)
    assert code == 0, f"the registry ended with {code}:\n{log.read_text()}"
