"""Roadstead as `make up` starts it: embedded PostgreSQL and Valkey, two web processes, workers."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlencode

from app.users.passwords import generate_password
from bench import processes
from bench.content import Content
from bench.targets import LIMITED_PROJECT, REPOSITORY, Target
from bench.wire import AnswerError, Connection

_ROOT = Path(__file__).resolve().parent.parent
_PUBLIC_PROJECT = "bench-public"
_WEB_VERB = "serve"


class Roadstead:
    """Our own server, seen by a client with a token of a private project and by an anonymous one."""

    name = "roadstead"

    def __init__(self, settings: Callable[[], Mapping[str, str]] = dict, *, agent: str = "") -> None:
        self._settings = settings
        self._agent = agent
        self._port = processes.free_port()
        self._password = generate_password()
        self._process: subprocess.Popen[bytes]

    def start(self, directory: Path, files: Content) -> None:
        """Start it on an empty data directory, by default with its default settings, and make projects."""
        del files
        directory.mkdir(parents=True)
        env = {
            "ROADSTEAD_DATA": str(directory / "data"),
            "ROADSTEAD_LISTEN": f"127.0.0.1:{self._port}",
            "ROADSTEAD_ADMIN_PASSWORD": self._password,
            "ROADSTEAD_PROCESSES": "2",
            "PYTHONPATH": str(_ROOT),
            **self._settings(),
        }
        log = directory / "log"
        self._process = processes.spawn([sys.executable, "-m", "cli", "up"], log, env)
        processes.wait_for(self._answers, self._process, log)
        argv = [sys.executable, "-m", "cli", "project", "create", _PUBLIC_PROJECT, "--public"]
        subprocess.run(argv, env={**os.environ, **env}, check=True, stdout=subprocess.DEVNULL)
        argv[-2:] = [LIMITED_PROJECT]
        subprocess.run(argv, env={**os.environ, **env}, check=True, stdout=subprocess.DEVNULL)
        self._limit(LIMITED_PROJECT, 1 << 40)

    def targets(self) -> list[Target]:
        """Return its columns."""
        pid = self._process.pid
        private = Target(
            *("roadstead", "Roadstead", self._port, pid, self.web_processes, self._pull, self._push),
            agent=self._agent,
        )
        public = Target(
            "roadstead-anonymous",
            "Roadstead, public project, anonymous",
            self._port,
            pid,
            self.web_processes,
            writer=self._push,
            repository=REPOSITORY.replace("bench", _PUBLIC_PROJECT, 1),
            is_pushed_to=False,
            agent=self._agent,
        )
        return [private, public]

    def web_processes(self) -> tuple[int, ...]:
        """Return the processes that answer HTTP."""
        family = processes.descendants(self._process.pid)
        return tuple(pid for pid in family if _WEB_VERB in processes.command_line(pid))

    def version(self) -> str:
        """Return the commit that is measured."""
        argv = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty"]
        return "Roadstead " + subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()

    def stop(self) -> None:
        """End it."""
        processes.stop(self._process)

    def _answers(self) -> bool:
        with Connection("127.0.0.1", self._port) as connection:
            return connection.request("GET", "/readyz").status == 200

    def _pull(self, repository: str) -> str:
        return self._token(f"repository:{repository}:pull")

    def _push(self, repository: str) -> str:
        return self._token(f"repository:{repository}:pull,push")

    def _limit(self, project: str, hard_bytes: int) -> None:
        """Set the quota of a project."""
        body = json.dumps({"hard": {"storage": hard_bytes}}).encode()
        with self._administrator() as connection:
            listed = connection.expect(200, "GET", "/api/v2.0/quotas?page_size=100")
            found = next(one["id"] for one in json.loads(listed.body) if one["ref"]["name"] == project)
            headers = {"Content-Type": "application/json"}
            connection.expect(200, "PUT", f"/api/v2.0/quotas/{found}", body, headers=headers)

    def _administrator(self) -> Connection:
        basic = base64.b64encode(f"admin:{self._password}".encode()).decode()
        return Connection("127.0.0.1", self._port, f"Basic {basic}")

    def _token(self, scope: str) -> str:
        query = urlencode({"service": "roadstead", "scope": scope})
        with self._administrator() as connection:
            answer = connection.request("GET", f"/service/token?{query}")
        if answer.status != 200:
            raise AnswerError(f"no token for {scope}: {answer.status}")
        return f"Bearer {json.loads(answer.body)['token']}"


def found() -> list[Roadstead]:
    """Return Roadstead, which is always measured."""
    return [Roadstead()]
