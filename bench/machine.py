"""What the figures were made on."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path


def describe(directory: Path) -> dict[str, str]:
    """Describe the machine, and the file system below the data of the servers."""
    kilobytes = int(_first(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo")))
    return {
        "cpu": _first(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo")),
        "cores": str(os.cpu_count()),
        "memory": f"{kilobytes >> 20} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "file system": _file_system(directory),
        "small answers read by": "wrk" if shutil.which("wrk") else "bench/generator.py",
    }


def _first(pattern: str, file: Path) -> str:
    found = re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else "0"


def _file_system(directory: Path) -> str:
    argv = ["stat", "--file-system", "--format=%T", str(directory)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
