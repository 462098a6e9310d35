"""The Range header for one range of bytes (RFC 9110, section 14)."""

import re
from typing import Final

from msgspec import Struct

from app.oci.errors import RangeInvalid

_RANGE: Final = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*")
_MAX_DIGITS: Final = 18
"""More than any size has; Python would take its time with thousands of them."""


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
    first, last = (_clamped(text, size) if text else None for text in match.groups())
    if first is None:
        start, stop = size - (last or 0), size
    else:
        start, stop = first, size if last is None else min(last + 1, size)
    if start >= stop:
        raise _unsatisfiable(size)
    return Span(start=start, stop=stop, size=size)


def _clamped(text: str, size: int) -> int:
    return size if len(text.lstrip("0")) > _MAX_DIGITS else min(int(text or "0"), size)


def _unsatisfiable(size: int) -> RangeInvalid:
    return RangeInvalid({"size": size}, headers={"Content-Range": f"bytes */{size}"})
