"""dockerd and containerd, each on a socket and in a directory of its own."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.waiting import wait_until

STOP_TIMEOUT = 30

CONTAINERD_CONFIG = """
version = 2
root = "{directory}/root"
state = "{directory}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{directory}/containerd.sock"
[ttrpc]
address = "{directory}/ttrpc.sock"
"""


@contextlib.contextmanager
def running_dockerd(directory: Path) -> Iterator[Path]:
    """Runs dockerd without any network of its own, and lends its socket."""
    docker_socket = directory / "docker.sock"
    command = [
        *("dockerd", "--host", f"unix://{docker_socket}", "--pidfile", f"{directory}/pid"),
        *("--data-root", f"{directory}/root", "--exec-root", f"{directory}/exec", "--storage-driver=vfs"),
        *("--iptables=false", "--ip6tables=false", "--bridge=none"),
    ]
    answers = ["docker", "--host", f"unix://{docker_socket}", "version"]
    with _running(command, directory, answers):
        yield docker_socket


@contextlib.contextmanager
def running_containerd(directory: Path) -> Iterator[Path]:
    """Runs containerd, and lends its socket."""
    config = directory / "config.toml"
    config.write_text(CONTAINERD_CONFIG.format(directory=directory))
    containerd_socket = directory / "containerd.sock"
    answers = ["ctr", "--address", str(containerd_socket), "version"]
    with _running(["containerd", "--config", str(config)], directory, answers):
        yield containerd_socket


@contextlib.contextmanager
def _running(command: list[str], directory: Path, answers: list[str]) -> Iterator[None]:
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_until(lambda: process.poll() is not None or _succeeds(answers), f"{command[0]} is ready")
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        finally:
            process.kill()
            _unmount_below(directory)


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _unmount_below(directory: Path) -> None:
    """Takes away what daemons leave mounted: dockerd its network namespace and its data directory."""
    targets = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for target in sorted(targets, reverse=True):
        if Path(target).is_relative_to(directory):
            subprocess.run(["umount", target], check=True)
