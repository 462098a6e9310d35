"""Where the servers of a run keep what they have: gone in the end, but for the logs of a run that failed."""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

BUILD = Path(__file__).resolve().parent.parent / "build"

_LOG: Final = re.compile(r"([a-z].*\.)?log(\..*)?")
"""Such as log, postgres.log, weed.HOST.USER.log.ERROR.DATE; databases number theirs, which are no text."""


@contextmanager
def workplace(name: str, *, parent: Path | None = None, keep: bool = False) -> Iterator[Path]:
    """Lend an empty directory; `keep`: with all that is in it, it stays."""
    BUILD.mkdir(exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent or BUILD))
    directory.chmod(0o755)  # PostgreSQL runs as a user of its own when we are root
    try:
        yield directory
    except Exception:
        kept = directory if keep else _logs_of(directory)
        sys.stderr.write(f"the run failed; the logs of its servers are in {kept}\n")
        raise
    finally:
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)


def _logs_of(directory: Path) -> Path:
    """Copy what servers have written down to where it stays, and return that directory."""
    kept = BUILD / f"{directory.name}-logs"
    for path in directory.rglob("*"):
        if _LOG.fullmatch(path.name) and path.is_file():
            copy = kept / path.relative_to(directory)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    return kept
