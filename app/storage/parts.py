"""How large the parts of an upload are."""

from typing import Final

_GROWTH: Final = 1_250
"""A part is this fraction of what lies before it, so that 5 TB are less than 10,000 parts."""


def part_size(stored_bytes: int, least: int) -> int:
    """Return the size of the part that begins there."""
    return max(least, -(-stored_bytes // _GROWTH))
