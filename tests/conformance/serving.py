"""Registries of our own, as many as a test wants, on one database and storage or on several."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from socket import create_server, socket

from aiohttp import ClientSession

from app.settings import Settings, load
from tests.conformance.client import Repository, open_repository
from tests.support.registry import running_registry
from tests.support.roadstead import UNMEASURED, environment_with

ROOT = Path(__file__).parents[2]


def environment_for(database_url: str, data: Path, **settings: str) -> dict[str, str]:
    """Settings by the names of their environment without its prefix: `uploads_lease="2"`."""
    named = {
        "data": str(data),
        "listen": "127.0.0.1:0",
        "database_url": database_url,
        "auth_secret_key": "only-for-tests-" * 3,
        "admin_password": "Admin-password-1",
        **settings,
    }
    return {f"ROADSTEAD_{name.upper()}": value for name, value in named.items()}


def settings_for(database_url: str, data: Path, **settings: str) -> Settings:
    """The same, as a process of ours would load them."""
    return load(environment_for(database_url, data, **settings))


@dataclass(frozen=True)
class OnSocket:
    """A registry behind a listening socket, whichever process serves it just now."""

    url: str
    session: ClientSession
    bearer: str

    async def token(self, *scopes: str) -> str:
        assert scopes
        return self.bearer


@dataclass(frozen=True)
class Served:
    """A repository of a registry that processes of their own serve, one after the other."""

    repo: Repository
    listener: socket
    environment: dict[str, str]
    storage_root: Path

    @contextmanager
    def process(self) -> Iterator[subprocess.Popen[bytes]]:
        """One web process; killed at the end if it still runs."""
        number = self.listener.fileno()
        command = [sys.executable, "-m", "cli", "serve", "--fd", str(number)]
        environment = environment_with({**self.environment, **UNMEASURED})
        with subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[number]) as process:
            try:
                yield process
            finally:
                process.kill()

    @contextmanager
    def beside(self) -> Iterator["Served"]:
        """The same on a socket of its own, for another process at the same time."""
        ours = self.repo.registry
        bearer = self.repo.authorization["Authorization"].removeprefix("Bearer ")
        with create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            registry = OnSocket(url, ours.session, bearer)
            repo = Repository(registry, self.repo.name, self.repo.authorization)
            yield replace(self, repo=repo, listener=listener)


@asynccontextmanager
async def served_by_processes(database_url: str, data: Path, **settings: str) -> AsyncIterator[Served]:
    """Everything but the process: the database is ready, the socket listens."""
    environment = environment_for(database_url, data, log_level="error", **settings)
    loaded = load(environment)
    async with running_registry(loaded) as registry:
        opened = await open_repository(registry)
    with create_server(("127.0.0.1", 0)) as listener:
        async with ClientSession() as session:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            token = opened.authorization["Authorization"].removeprefix("Bearer ")
            repo = Repository(OnSocket(url, session, token), opened.name, opened.authorization)
            yield Served(repo, listener, environment, loaded.storage_root)
