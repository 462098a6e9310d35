"""Where tests keep what nobody needs afterwards: in memory where there is room, which spares the disk."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - directories with random names are made in it
_NEEDED_BYTES: Final = 8 << 30
_PREFIX: Final = "roadstead-"


def _room() -> int:
    """Return how many bytes memory takes; a container has little that is shared, unless it is given more."""
    if not _MEMORY.is_dir():
        return 0
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    available = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    return min(available, shutil.disk_usage(_MEMORY).free)


PLACE: Final = _MEMORY if _room() >= _NEEDED_BYTES else Path(tempfile.gettempdir())


@contextmanager
def short_directory() -> Iterator[Path]:
    """Lend a directory whose path leaves room for the names of sockets, and which any user can pass."""
    directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=PLACE))
    directory.chmod(0o711)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def prepare() -> None:
    """Have pytest make `tmp_path` here, too, and remove what killed runs left: memory comes back only so."""
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(PLACE))
    for directory in PLACE.glob(f"{_PREFIX}*-*"):
        pid = directory.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdecimal() and not Path("/proc", pid).exists():
            shutil.rmtree(directory, ignore_errors=True)
