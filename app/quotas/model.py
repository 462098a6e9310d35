"""What a quota is."""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from app.oci.digest import Digest

UNLIMITED: Final = -1
MAX_HARD_BYTES: Final = 1024 << 40
WARN_PERCENT: Final = 85
"""A warning is recorded when a project comes to use this much of its quota."""

_STEP: Final = 1024
_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")


class ProjectQuota(Struct, frozen=True):
    """How much a project uses, and how much it may use at most."""

    project_id: int
    project_name: str
    owner_name: str
    hard_bytes: int
    used_bytes: int
    created_at: datetime
    updated_at: datetime


class Usage(Struct, frozen=True):
    """The figures of a quota; `reserved_bytes` are kept for uploads that are under way."""

    used_bytes: int
    hard_bytes: int
    reserved_bytes: int = 0


class Incoming(Struct, frozen=True):
    """A blob of this size, or larger, that somebody is going to upload: which, and in which session."""

    size_bytes: int
    digest: Digest | None = None
    upload_id: UUID | None = None


class Growth(Struct, frozen=True):
    """Bytes that a project is going to use in addition."""

    project_id: int
    added_bytes: int


def is_valid_hard(hard_bytes: int) -> bool:
    """Whether it can be the limit of a project: `UNLIMITED`, or up to 1024 TiB."""
    return hard_bytes == UNLIMITED or 0 < hard_bytes <= MAX_HARD_BYTES


def readable(size_bytes: int) -> str:
    """Return a size as people read it: `1.5 GiB`."""
    size, unit = float(size_bytes), 0
    while size >= _STEP and unit < len(_UNITS) - 1:
        size, unit = size / _STEP, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{size_bytes} bytes"
