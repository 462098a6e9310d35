"""Programs that run as children: how one is started, as whom, and what ends it."""

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_LEASH = Path(__file__).with_name("leash.py")


class StartError(Exception):
    """Something cannot be started: one sentence for the person at the terminal."""


@dataclass(frozen=True)
class Account:
    """An unprivileged user, for servers that refuse to run as root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run as a child process, and how to end it."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] | None = None
    stdin: bytes = b""
    inherited: tuple[int, ...] = ()
    account: Account | None = None
    reach: bool = False
    log: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    abrupt_signal: signal.Signals = signal.SIGKILL
    grace: float = 20.0

    @property
    def hint(self) -> str:
        """Where its last words are."""
        return f"See {self.log}." if self.log else "What it wrote above says why."


def unprivileged_account() -> Account | None:
    """Return the user that servers run as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise StartError(
        "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as."
    )


def is_open_to_others(path: Path) -> bool:
    """Tell whether any user may pass through all the directories above this path."""
    return all(parent.stat().st_mode & 0o001 for parent in path.parents)


def make_private_directory(path: Path, account: Account | None) -> Path:
    """Make a directory that only this account (or we ourselves) can enter."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    if account:
        os.chown(path, account.uid, account.gid)
    return path


def start(program: Program) -> subprocess.Popen[bytes]:
    """Start a program on a leash: it ends when the thread that called this ends.

    In a session of its own, so that Ctrl-C reaches only us and the order of stopping is ours.
    """
    account = program.account
    leash = [os.getpid(), program.abrupt_signal.value]
    leash += [account.uid, account.gid, int(program.reach)] if account else [0, 0, 0]
    output = _open_log(program.log)
    try:
        return subprocess.Popen(  # noqa: S603 - the programs are ours and no shell is involved
            [sys.executable, "-I", "-S", str(_LEASH), *map(str, leash), *program.arguments],
            env=program.environment,
            stdin=(stdin := _pipe_with(program.stdin)),
            stdout=output,
            stderr=output,
            pass_fds=program.inherited,
            start_new_session=True,
        )
    finally:
        os.close(stdin)
        if output:
            output.close()


def run_to_end(program: Program) -> None:
    """Run a program that ends by itself; StartError with its last words if it fails."""
    with start(program) as process:
        status = process.wait()
    if status:
        words = program.log.read_text(errors="replace").strip().splitlines()[-3:] if program.log else []
        raise StartError(f"{program.name} {describe_exit(status)}. {' '.join(words)}".strip())


def describe_exit(status: int) -> str:
    """Say in words how a process ended."""
    if status >= 0:
        return f"exited with status {status}"
    return f"was ended by {signal.Signals(-status).name}"


def _open_log(path: Path | None) -> IO[bytes] | None:
    return path.open("ab") if path else None


def _pipe_with(content: bytes) -> int:
    """Return the read end of a pipe that holds this content: it leaves no trace on disk or in `ps`."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(content)
    return reader
