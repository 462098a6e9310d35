"""The Range header for one range of bytes (RFC 9110, section 14)."""

import re
from typing import Final

from msgspec import Struct

from app.oci.errors import RangeInvalid

_RANGE: Final = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*")
_MAX_DIGITS: Final = 19


class Span(Struct, frozen=True):
    """The bytes `start <= i < stop` of `size`."""

    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        """The Content-Range header's value."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


def parse_range(header: str | None, size: int) -> Span | None:
    """Return the span asked for, or None where the whole is to be sent.

    Other units and several ranges are ignored, as the RFC allows.

    Raises:
        RangeInvalid: nothing of the range is there, or its end lies before its start.
    """
    if header is None:
        return None
    match = _RANGE.fullmatch(header)
    if match is None or match[1] == match[2] == "":
        return None
    if max(len(match[1]), len(match[2])) > _MAX_DIGITS:
        raise _unsatisfiable(size)
    if match[1] == "":
        start, stop = max(size - int(match[2]), 0), size
    else:
        start = int(match[1])
        stop = min(int(match[2]) + 1, size) if match[2] else size
    if start >= stop:
        raise _unsatisfiable(size)
    return Span(start=start, stop=stop, size=size)


def _unsatisfiable(size: int) -> RangeInvalid:
    return RangeInvalid({"size": size}, headers={"Content-Range": f"bytes */{size}"})
