"""The other registries: Debian's docker-registry 2.8, distribution v3 and zot, each where it is on PATH."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench import processes
from bench.content import Content
from bench.targets import Authorize, Target, nobody
from bench.tokens import Issuer
from bench.wire import Connection

_CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
storage:
  cache: {{blobdescriptor: inmemory}}
  delete: {{enabled: true}}
{storage}"""
_AUTH_CONFIG = """\
auth:
  token:
    realm: http://127.0.0.1/token
    service: bench
    issuer: bench
    rootcertbundle: {certificate}
"""


class Distribution:
    """distribution, Debian's 2.8 or upstream's v3: both read the same configuration."""

    def __init__(
        self,
        name: str,
        program: str,
        *,
        tokens: bool = False,
        storage: Callable[[Path], str] = lambda data: f"  filesystem: {{rootdirectory: {data}}}\n",
    ) -> None:
        self.name = f"{name}-token" if tokens else name
        self._label = f"{name}, bearer token" if tokens else name
        self._program = program
        self._tokens = tokens
        self._storage = storage
        self._port = processes.free_port()
        self._authorize: Authorize = nobody
        self._process: subprocess.Popen[bytes]

    def start(self, directory: Path, files: Content) -> None:
        """Start it on its storage, with its in-memory cache of descriptors, logging errors only."""
        del files
        directory.mkdir(parents=True)
        config = _CONFIG.format(storage=self._storage(directory / "data"), port=self._port)
        if self._tokens:
            issuer = Issuer(directory)
            self._authorize = issuer.authorize
            config += _AUTH_CONFIG.format(certificate=issuer.certificate)
        path, log = directory / "config.yml", directory / "log"
        path.write_text(config, encoding="utf-8")
        env = {
            "OTEL_TRACES_EXPORTER": "none",  # v3 would look for a collector of traces
            "AWS_CA_BUNDLE": "",  # 2.8 does not start with one
        }
        self._process = processes.spawn([self._program, "serve", str(path)], log, env)
        processes.wait_for(lambda: _answers(self._port), self._process, log)

    def targets(self) -> list[Target]:
        """Return its one column."""
        pid = self._process.pid
        return [
            Target(self.name, self._label, self._port, pid, lambda: (pid,), self._authorize, self._authorize)
        ]

    def version(self) -> str:
        """Return what the program says about itself."""
        return _output(self._program, "--version")

    def stop(self) -> None:
        """End it."""
        processes.stop(self._process)


class Zot:
    """zot, told to commit to disk as the others do by themselves."""

    name = "zot"

    def __init__(self) -> None:
        self._port = processes.free_port()
        self._process: subprocess.Popen[bytes]

    def start(self, directory: Path, files: Content) -> None:
        """Start it without deduplication and garbage collection, which the others do not do either."""
        del files
        directory.mkdir(parents=True)
        config = {
            "distSpecVersion": "1.1.1",
            "storage": {
                "rootDirectory": str(directory / "data"),
                "dedupe": False,
                "gc": False,
                "commit": True,
            },
            "http": {"address": "127.0.0.1", "port": str(self._port)},
            "log": {"level": "error"},
        }
        path, log = directory / "config.json", directory / "log"
        path.write_text(json.dumps(config), encoding="utf-8")
        self._process = processes.spawn(["zot", "serve", str(path)], log)
        processes.wait_for(lambda: _answers(self._port), self._process, log)

    def targets(self) -> list[Target]:
        """Return its one column."""
        pid = self._process.pid
        return [Target("zot", "zot", self._port, pid, lambda: (pid,))]

    def version(self) -> str:
        """Return what the program says about itself."""
        return _output("zot", "--version")

    def stop(self) -> None:
        """End it."""
        processes.stop(self._process)


def found() -> list[Distribution | Zot]:
    """Return the peers that are on PATH."""
    peers: list[Distribution | Zot] = []
    if shutil.which("docker-registry"):
        peers += [
            Distribution("docker-registry", "docker-registry"),
            Distribution("docker-registry", "docker-registry", tokens=True),
        ]
    if shutil.which("registry"):
        peers.append(Distribution("distribution-v3", "registry"))
    if shutil.which("zot"):
        peers.append(Zot())
    return peers


def _answers(port: int) -> bool:
    with Connection("127.0.0.1", port) as connection:
        return connection.request("GET", "/v2/").status in {200, 401}


def _output(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().splitlines()[0]
