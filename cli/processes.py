"""The processes of Roadstead itself, as children of a supervisor."""

import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.jobs import QUEUES_IN_USE
from app.settings import Settings
from cli.listening import format_address
from cli.programs import Program

_ROOT = Path(__file__).parent.parent
_POLL_SECONDS = 0.02
_SPARE_SECONDS = 5.0  # for what a process does after its last transfer
_PROBES_PER_PROCESS = 4  # the kernel chooses who answers: with so many, everybody is asked


def web_processes(settings: Settings) -> int:
    """How many web processes to run: as many as set, else one per core that we may use."""
    if sys.platform == "linux":
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return settings.processes or cores


class Gate:
    """Holds web processes back until the database is ready, as a pipe that ends when it opens.

    Those that start later, in place of crashed ones, find it open.
    """

    def __init__(self) -> None:
        self.descriptor, self._bar = os.pipe()

    def open(self) -> None:
        """Let everybody through."""
        os.close(self._bar)


@dataclass(frozen=True)
class Roadstead:
    """This program as the child of a supervisor."""

    settings: Settings
    environment: Mapping[str, str] = field(default_factory=dict)
    inherited: tuple[int, ...] = ()

    def migration(self) -> Program:
        """What has to end well before the others start."""
        return self._program("The migration of the database", "migrate")

    def web(self, sockets: list[socket.socket], gate: Gate | None = None) -> list[Program]:
        """One web process for each listening socket."""
        held = ("--gate", str(gate.descriptor)) if gate else ()
        descriptors = (gate.descriptor,) if gate else ()
        return [
            self._program(
                f"web-{number}",
                *("serve", "--fd", str(listener.fileno()), *held),
                inherited=(listener.fileno(), *descriptors),
            )
            for number, listener in enumerate(sockets, start=1)
        ]

    def workers(self) -> list[Program]:
        """One worker process for each queue that has jobs."""
        return [self._program(f"worker-{queue}", "work", "--queue", queue) for queue in QUEUES_IN_USE]

    def _program(self, name: str, *arguments: str, inherited: tuple[int, ...] = ()) -> Program:
        # `-m` looks in the current directory first, which is right only where that is our own.
        flags = ("-m",) if Path.cwd() == _ROOT else ("-P", "-m")
        return Program(
            name=name,
            arguments=[sys.executable, *flags, "cli", *arguments],
            environment={**os.environ, **self.environment},
            inherited=(*self.inherited, *inherited),
            grace=self.settings.shutdown_grace.total_seconds() + _SPARE_SECONDS,
        )


async def until_answering(sockets: list[socket.socket], path: str) -> str:
    """Wait until every web process answers this path with 200; return the address."""
    host, port = sockets[0].getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    await asyncio.gather(*(_until_ok(host, port, path) for _ in range(_PROBES_PER_PROCESS * len(sockets))))
    return format_address(host, port)


async def _until_ok(host: str, port: int, path: str) -> None:
    while not await _is_ok(host, port, path):  # noqa: ASYNC110 - another process has no asyncio.Event for us
        await asyncio.sleep(_POLL_SECONDS)


async def _is_ok(host: str, port: int, path: str) -> bool:
    try:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return (await reader.readline()).split()[1:2] == [b"200"]
        finally:
            writer.close()
    except OSError:
        return False
