"""Whether a server flushes an upload to the disk before it answers, as strace sees it."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from bench import content, processes
from bench.content import Blob
from bench.targets import Target

_DEADLINE = 10.0


def flushes(target: Target, trace: Path) -> int | None:
    """Count fsync and fdatasync calls during one upload of a small blob; None where strace cannot tell."""
    if not shutil.which("strace"):
        return None
    pids = processes.tree(target.pid)
    argv = ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", str(trace)]
    for pid in pids:
        argv += ["-p", str(pid)]
    tracer = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        if not _attached(pids, tracer):
            return None
        blob = Blob(os.urandom(4096))
        access = target.write_access(0)
        with access.connect() as connection:
            content.upload(connection, access.repository, blob.digest, blob.data)
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
    return len(re.findall(r"\bf(?:data)?sync\(", trace.read_text(encoding="utf-8")))


def _attached(pids: tuple[int, ...], tracer: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + _DEADLINE
    while time.monotonic() < end and tracer.poll() is None:
        if all(_tracer_of(pid) == tracer.pid for pid in pids):
            return True
        time.sleep(0.05)
    return False


def _tracer_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"^TracerPid:\s+(\d+)$", status, re.MULTILINE)
    return int(found[1]) if found else 0
