"""The data directory of `roadstead up`: who uses it, its secrets, and what lies where."""

import fcntl
import hashlib
import json
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.users.passwords import generate_password
from cli.programs import Account, StartError, make_private_directory

_LONGEST_SOCKET_DIRECTORY = 85  # of the 107 bytes that a socket's path may have; macOS has 103
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./-]+")  # needs no quoting in any kind of URL
_HOLDER_SECONDS = 0.5  # somebody who is being killed needs a moment
_REMAINS_SECONDS = 15.0  # and so do the servers of somebody who was
_POLL_SECONDS = 0.05


def _generate() -> str:
    return secrets.token_hex(32)


@dataclass(frozen=True)
class Secrets:
    """Made at the first start and kept for good."""

    postgres: str = field(default_factory=_generate)
    postgres_admin: str = field(default_factory=_generate)
    valkey: str = field(default_factory=_generate)
    auth_secret_key: str = field(default_factory=_generate)


@dataclass(frozen=True)
class DataDirectory:
    """A data directory that is ours alone."""

    path: Path
    lock: int
    account: Account | None

    @property
    def logs(self) -> Path:
        """What the servers write about themselves."""
        return make_private_directory(self.path / "log", None)

    @property
    def sockets(self) -> Path:
        """Where the servers have their sockets; elsewhere when this path cannot be one of a socket."""
        directory = self.path / "run"
        if len(os.fsencode(directory)) > _LONGEST_SOCKET_DIRECTORY or not _PLAIN_PATH.fullmatch(
            str(directory)
        ):
            name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
            directory = Path(tempfile.gettempdir()) / f"roadstead-{name}"
        owner = self.account.uid if self.account else os.geteuid()
        if directory.is_symlink() or (directory.exists() and directory.stat().st_uid != owner):
            raise StartError(
                f"{directory} belongs to somebody else. Remove it, or set TMPDIR to another directory."
            )
        return make_private_directory(directory, self.account)

    def directory_of(self, server: str) -> Path:
        """Make the directory of a server, which only that server can enter."""
        return make_private_directory(self.path / server, self.account)

    def secrets(self) -> Secrets:
        """Read the secrets; make them at the first start."""
        file = self.path / "secrets.json"
        if not file.exists():
            if (self.path / "postgres").exists():
                raise StartError(
                    f"{file} is missing, and without it the database in {self.path} cannot be opened."
                )
            _write_private(file, json.dumps(asdict(Secrets()), indent=2) + "\n")
        return Secrets(**json.loads(file.read_text()))

    def admin_password(self) -> str:
        """Read the password that was made for the user `admin`; make one at the first start."""
        file = self.path / "admin-password"
        if not file.exists():
            _write_private(file, generate_password() + "\n")
        return file.read_text().strip()


@contextmanager
def open_data_directory(path: Path, account: Account | None) -> Iterator[DataDirectory]:
    """Lend the data directory to this process alone; StartError when another one has it.

    Children inherit the lock: it is free only when the last of them is gone, also after `kill -9`.
    """
    try:
        path.mkdir(0o711 if account else 0o700, parents=True, exist_ok=True)
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartError(
            f"The data directory {path} cannot be used: {error.strerror}. Set ROADSTEAD_DATA."
        ) from None
    try:
        _acquire(lock, path)
        yield DataDirectory(path, lock, account)
    finally:
        os.close(lock)


def _acquire(lock: int, path: Path) -> None:
    if os.fstat(lock).st_uid != os.geteuid():
        raise StartError(f"{path} belongs to another user. Start as {path.owner()}, or set ROADSTEAD_DATA.")
    began = time.monotonic()
    while not _is_locked_by_us(lock):
        waited = time.monotonic() - began
        holder = int(os.pread(lock, 32, 0) or b"0")
        if waited > _HOLDER_SECONDS and _is_alive(holder):
            raise StartError(
                f"{path} is in use by process {holder}. Stop that one, or set ROADSTEAD_DATA to another."
            )
        if waited > _REMAINS_SECONDS:
            raise StartError(f"{path} is still in use by servers that process {holder} left behind.")
        time.sleep(_POLL_SECONDS)
    os.pwrite(lock, f"{os.getpid():<20}".encode(), 0)


def _is_locked_by_us(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != 0


def _write_private(file: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.rename(file)
    directory = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
