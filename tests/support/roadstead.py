"""`roadstead up` as its user runs it: the real program with everything it starts."""

import base64
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from tests.support.waiting import is_running, wait_until

ROOT = Path(__file__).parents[2]

UNMEASURED: Final = {"COVERAGE_PROCESS_CONFIG": "", "COVERAGE_PROCESS_START": ""}
"""For programs that are killed when the test is over: they never write down which code they ran."""


class RunningRoadstead:
    """One run of the program."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def said(self) -> str:
        """What it printed so far."""
        return self._output.read_text()

    @property
    def address(self) -> str:
        """The address it serves on."""
        return self._announced(r"address +https?://(\S+)")

    @property
    def password(self) -> str:
        """The password of the user `admin`."""
        return self._announced(r"password +(\S+)")

    @property
    def ready_seconds(self) -> float:
        """How long it took to start, by its own account."""
        return float(self._announced(r"ready after ([0-9.]+) s"))

    def children(self) -> dict[int, str]:
        """Return the command line of each child process by its id."""
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        lines = {int(pid): _command_line(pid) for pid in pids}
        return {pid: line for pid, line in lines.items() if line}

    def child(self, words: str) -> int:
        """Return the process id of the first child with these words in its command line."""
        return wait_until(
            lambda: next((pid for pid, line in self.children().items() if words in line), 0),
            f"a child {words}",
        )

    def status_of(self, path: str, password: str = "", *, address: str = "") -> int:
        """Return the status of the answer, to `admin` where there is a password; 0: no answer."""
        credentials = base64.b64encode(f"admin:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}"} if password else {}
        with closing(HTTPConnection(address or self.address, timeout=30)) as connection:
            try:
                connection.request("GET", path, headers=headers)
                return connection.getresponse().status
            except OSError:
                return 0

    def is_ready(self) -> bool:
        """Whether a request gets through to the database and back."""
        return self.status_of("/readyz") == HTTPStatus.OK

    def stop(self) -> int:
        """Press Ctrl-C, and return the exit status once nothing is left running."""
        children = self.children()
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(timeout=60)
        assert not [line for pid, line in children.items() if is_running(pid)]
        return status

    def kill(self) -> None:
        """Kill it, if it still runs, and wait until nothing is left running."""
        children = set() if self.process.poll() is not None else set(self.children())
        self.process.kill()
        self.process.wait()
        wait_until(lambda: not any(map(is_running, children)), "its children are gone")

    def _announced(self, pattern: str) -> str:
        match = re.search(pattern, self.said)
        assert match, f"no {pattern} in {self.said!r}"
        return match[1]


def environment_with(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of the tests with these settings and no others."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ROADSTEAD_")}
    return {**inherited, **settings}


@contextmanager
def roadstead(*arguments: str, output: Path, environment: Mapping[str, str]) -> Iterator[RunningRoadstead]:
    """Run the program with these settings and no others; kill it at the end if it still runs."""
    with (
        output.open("wb") as file,
        subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments],
            cwd=ROOT,
            env=environment_with(environment),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        ) as process,
    ):
        running = RunningRoadstead(process, output)
        try:
            yield running
        finally:
            running.kill()


@contextmanager
def roadstead_up(data: Path, **settings: str) -> Iterator[RunningRoadstead]:
    """Run `roadstead up` on a data directory and any free port; lend it once it is ready."""
    environment = {"ROADSTEAD_DATA": str(data), "ROADSTEAD_LISTEN": "127.0.0.1:0", **settings}
    with roadstead("up", output=data.with_name(f"{data.name}.output"), environment=environment) as up:
        wait_until(lambda: "Ctrl-C" in up.said or up.process.poll() is not None, "roadstead is ready")
        assert up.process.poll() is None, up.said
        yield up


def _command_line(pid: str) -> str:
    """Return it with spaces; empty where the process has ended, perhaps since it was listed."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""
