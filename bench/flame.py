"""A flame graph of one web process while a line is measured."""

import shutil
import subprocess
import sys
from pathlib import Path

from bench.lines import OURS, WORKLOADS
from bench.run import Arena
from bench.settings import Plan

_SECONDS = 8


class ProfilerMissingError(Exception):
    """There is no py-spy on PATH or in this environment."""


def record(arena: Arena, workload: str, plan: Plan, file: Path) -> Path:
    """Keep the load up while py-spy samples the first web process, and return the file it wrote."""
    program = shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if program is None:
        raise ProfilerMissingError("--profile needs py-spy: pip install 'py-spy>=0.4'")
    target = next(target for target in arena.targets if target.name == OURS)
    station = WORKLOADS[workload]
    station.workload.warm_up(target, arena.files, plan)
    argv = [program, "record", "--native", "-d", str(_SECONDS), "-r", "400", "-o", str(file)]
    with subprocess.Popen([*argv, "-p", str(target.web_processes()[0])]) as sampler:
        while sampler.poll() is None:
            station.workload.measure(target, arena.files, plan)
    return file
