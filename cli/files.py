"""How many files and connections a process may have open."""

import resource
from typing import Final

_ENOUGH: Final = 16_384


def allow_files() -> None:
    """Allow as many as the system lets us, within reason: what it gives without being asked is soon used up.

    A pull from a bucket holds seven, and each webhook under way one.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
