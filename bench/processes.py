"""What the kernel knows about a server: its processes, their CPU seconds and their memory."""

import contextlib
import os
import re
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")

_TICK = os.sysconf("SC_CLK_TCK")
_QUIET_WINDOW = 0.2
_QUIET_SHARE = 0.03
_IDLE_COLUMNS = (3, 4)  # idle and iowait in /proc/stat


class ServerError(Exception):
    """A server did not start, or ended while it was measured."""


def tree(root: int) -> tuple[int, ...]:
    """Return the process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return tuple(found)


def descendants(root: int) -> tuple[int, ...]:
    """Return the processes that a process started, directly or not."""
    return tree(root)[1:]


def cpu_seconds(roots: Sequence[int]) -> float:
    """Sum user and system time of these process trees, processes that ended and were reaped included."""
    ticks = 0
    for root in roots:
        for pid in tree(root):
            ticks += sum(int(value) for value in _stat(pid)[11:15])
    return ticks / _TICK


def command_line(pid: int) -> list[str]:
    """Return the arguments a process was started with; none when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")[:-1]
    except OSError:
        return []


def memory_bytes(pid: int, field: str = "VmRSS") -> int:
    """Return a figure of /proc/PID/status: VmRSS is the memory now, VmHWM the most since `reset_peak`."""
    match = re.search(
        rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"), re.MULTILINE
    )
    if match is None:
        raise ServerError(f"process {pid} has ended")
    return int(match[1]) * 1024


def reset_peak(pid: int) -> None:
    """Make VmHWM start again from the memory of now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def wait_until_quiet(roots: Sequence[int], deadline: float = 20.0) -> bool:
    """Wait until these servers use next to no CPU; False when they never do."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        before = cpu_seconds(roots)
        time.sleep(_QUIET_WINDOW)
        if cpu_seconds(roots) - before <= _QUIET_SHARE * _QUIET_WINDOW + 1 / _TICK:
            return True
    return False


@dataclass(frozen=True)
class Load:
    """What a load cost: the server's CPU seconds until it was quiet, and cores used by others."""

    seconds: float
    server_cpu: float
    foreign_cores: float


def watch(roots: Sequence[int], load: Callable[[], Result]) -> tuple[Result, Load]:
    """Run a load, and return what it returned and what it cost."""
    server, machine, clients, started = cpu_seconds(roots), _machine_cpu(), _children_cpu(), time.monotonic()
    result = load()
    seconds = time.monotonic() - started
    during = cpu_seconds(roots) - server
    foreign = _machine_cpu() - machine - during - (_children_cpu() - clients)
    wait_until_quiet(roots)
    return result, Load(seconds, cpu_seconds(roots) - server, max(0.0, foreign / seconds))


def spawn(argv: Sequence[str], log: Path, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that Ctrl-C reaches only the benchmark."""
    with log.open("ab") as out:
        return subprocess.Popen(
            argv,
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], grace: float = 30.0) -> None:
    """End a server: SIGTERM, and SIGKILL to what is left of it after the grace time."""
    family = tree(process.pid)
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        for pid in family:
            _kill(pid)
        process.wait()


def wait_for(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, deadline: float = 60.0
) -> None:
    """Wait until a server answers; raise with the end of its log when it does not."""
    end = time.monotonic() + deadline
    while time.monotonic() < end and process.poll() is None:
        try:
            if ready():
                return
        except OSError:
            pass
        time.sleep(0.05)
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise ServerError(f"{process.args!r} did not become ready:\n{tail}")


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, which may hold anything; none when it is gone."""
    try:
        return (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(") ")[2]
            .split()
        )
    except OSError:
        return []


def _machine_cpu() -> float:
    columns = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    return sum(int(value) for index, value in enumerate(columns) if index not in _IDLE_COLUMNS) / _TICK


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
