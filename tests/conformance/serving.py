"""Registries of our own, as many as a test wants, on one database and storage or on several."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket

from app.settings import Settings, load

ROOT = Path(__file__).parents[2]


def environment_for(database_url: str, data: Path, **settings: str) -> dict[str, str]:
    """Settings by the names of their environment without its prefix: `uploads_lease="2"`."""
    named = {
        "data": str(data),
        "listen": "127.0.0.1:0",
        "database_url": database_url,
        "auth_secret_key": "only-for-tests-" * 3,
        "admin_password": "admin-password-1",
        **settings,
    }
    return {f"ROADSTEAD_{name.upper()}": value for name, value in named.items()}


def settings_for(database_url: str, data: Path, **settings: str) -> Settings:
    """The same, as a process of ours would load them."""
    return load(environment_for(database_url, data, **settings))


@contextmanager
def web_process(environment: dict[str, str], listener: socket) -> Iterator[subprocess.Popen[bytes]]:
    """One web process on a listening socket that outlives it; killed at the end if it still runs."""
    command = [sys.executable, "-m", "cli", "serve", "--fd", str(listener.fileno())]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, pass_fds=[listener.fileno()]
    ) as process:
        try:
            yield process
        finally:
            process.kill()
