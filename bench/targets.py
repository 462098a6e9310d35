"""What is measured: a repository on a server, and how a client proves who it is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench import content, processes
from bench.wire import Connection

REPOSITORY = "bench/app"
LIMITED_PROJECT = "bench-limited"

Authorize = Callable[[str], str]


@dataclass(frozen=True)
class Access:
    """What one client needs to talk to one repository; small and picklable."""

    host: str
    port: int
    repository: str
    authorization: str = ""
    agent: str = ""

    def connect(self) -> Connection:
        """Return a connection that sends authorization and agent with each request."""
        return Connection(self.host, self.port, self.authorization, self.agent)

    def path(self, rest: str) -> str:
        """Return the request target of something in the repository."""
        return f"/v2/{self.repository}/{rest}"


def nobody(_repository: str) -> str:
    """Authorize nothing: requests go out without credentials."""
    return ""


@dataclass(frozen=True)
class Target:
    """One column of the table: a server as one kind of client sees it."""

    name: str
    label: str
    port: int
    pid: int
    web_processes: Callable[[], tuple[int, ...]]
    reader: Authorize = nobody
    writer: Authorize = nobody
    repository: str = REPOSITORY
    is_registry: bool = True
    is_pushed_to: bool = True
    agent: str = ""
    direct: Callable[[str], str] | None = None
    """Of a storage: where a blob is, by its digest."""

    def read_access(self) -> Access:
        """Return what a puller uses; tokens are asked for anew before each measurement."""
        return Access("127.0.0.1", self.port, self.repository, self.reader(self.repository), self.agent)

    def write_access(self, client: int | None = None) -> Access:
        """Return what a pusher uses: a repository for each client, or the one that is read from."""
        repository = (
            self.repository if client is None else f"{self.repository.partition('/')[0]}/client-{client}"
        )
        return self.access_to(repository)

    def access_to(self, repository: str) -> Access:
        """Return what a pusher to this repository uses."""
        return Access("127.0.0.1", self.port, repository, self.writer(repository), self.agent)


class Server(Protocol):
    """A program that is started for the run."""

    name: str

    def start(self, directory: Path, files: content.Content) -> None:
        """Start it with its data below this directory."""

    def targets(self) -> list[Target]:
        """Return the columns it takes part in."""

    def version(self) -> str:
        """Say which program this is."""

    def stop(self) -> None:
        """End it."""


def load(target: Target, files: content.Content) -> None:
    """Push the content unless it is there by other means, and check what is served."""
    if target.direct:
        return  # registries fill it
    if target.is_registry:
        access = target.write_access()
        with access.connect() as connection:
            content.push(connection, access.repository, files)
    access = target.read_access()
    with access.connect() as connection:
        content.verify(connection, access.repository, files)
    processes.wait_until_quiet([target.pid])
