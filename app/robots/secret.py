"""Secrets of robots: made here, or given by whoever makes the robot."""

import secrets
import string
from typing import Final

from app.harbor.errors import BadRequest

_LETTERS: Final = string.ascii_letters + string.digits
_LENGTH: Final = 32
_SHORTEST: Final = 8
_LONGEST: Final = 128


def checked_or_new(given: str) -> str:
    """Return the given secret, or a new one where none is given; raise BadRequest for a weak one."""
    if not given:
        return _new()
    if not _is_strong(given):
        raise BadRequest(
            f"secret: {_SHORTEST} to {_LONGEST} characters, among them an upper case letter, "
            "a lower case letter and a digit"
        )
    return given


def _new() -> str:
    while not _is_strong(made := "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))):
        pass
    return made


def _is_strong(secret: str) -> bool:
    kinds = (str.isupper, str.islower, str.isdigit)
    return _SHORTEST <= len(secret) <= _LONGEST and all(any(map(kind, secret)) for kind in kinds)
