"""Writing files so that a loss of power does not take it back."""

import fcntl
import os
import sys
from pathlib import Path


def write_all(file: int, content: bytes, offset: int) -> None:
    """Write all of it at the offset, in as many calls as it takes."""
    rest = memoryview(content)
    while rest:
        written = os.pwrite(file, rest, offset)
        rest = rest[written:]
        offset += written


def fsync(file: int) -> None:
    """Wait until the drive has what was written."""
    if sys.platform == "darwin":
        fcntl.fcntl(file, fcntl.F_FULLFSYNC)  # its fsync stops at the drive's cache
    else:
        os.fsync(file)


def fsync_directory(path: Path | str) -> None:
    """Wait until the drive has the names in a directory."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fsync(directory)
    finally:
        os.close(directory)
