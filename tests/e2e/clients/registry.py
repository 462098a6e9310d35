"""The registry under test: the program that a user starts, as a process of its own."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.clients.wire import Account, Wire
from tests.support.roadstead import ROOT, environment_with, roadstead_up


@dataclass(frozen=True)
class Registry:
    """A running registry, and who may use it how."""

    address: str
    admin: Account
    stranger: Account
    """A user who belongs to no project."""

    @property
    def anyone(self) -> Wire:
        return Wire(self.address)

    @property
    def wire(self) -> Wire:
        return Wire(self.address, self.admin.basic)


@contextlib.contextmanager
def running_registry(data: Path, **settings: str) -> Iterator[Registry]:
    """Starts it with a public and a private project; at the end it must stop cleanly when interrupted."""
    admin, stranger = Account("admin", "Admin-password-1"), Account("stranger", "Stranger-password-1")
    with roadstead_up(data, ROADSTEAD_ADMIN_PASSWORD=admin.password, **settings) as up:
        _administer(data, "project", "create", "public", "--public")
        _administer(data, "project", "create", "private")
        _administer(data, "user", "create", stranger.name, "--password-stdin", stdin=stranger.password)
        yield Registry(settings.get("ROADSTEAD_LISTEN", up.address), admin, stranger)
        assert up.stop() == 0, up.said


def _administer(data: Path, *arguments: str, stdin: str = "") -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env=environment_with({"ROADSTEAD_DATA": str(data)}),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, f"{done.args}: {done.returncode}\n{done.stdout}{done.stderr}"
