"""Passwords: the rule for new ones, and their hashes by argon2id as OWASP recommends (19 MiB, 2 passes)."""

import asyncio
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_LEAST: Final = 8
_MOST: Final = 128
_KINDS: Final = {"upper-case letter": str.isupper, "lower-case letter": str.islower, "digit": str.isdecimal}
_GENERATED_BYTES: Final = 15


class PasswordTooWeak(Exception):
    """The message is a sentence that says what the rule is, and what this password lacks."""


def check_password(password: str) -> None:
    """Raise PasswordTooWeak unless a user may be given this password: the rule is Harbor's."""
    faults = [] if _LEAST <= len(password) <= _MOST else [f"{len(password)} characters"]
    faults += [f"no {kind}" for kind, is_such in _KINDS.items() if not any(map(is_such, password))]
    if faults:
        raise PasswordTooWeak(
            f"A password has {_LEAST} to {_MOST} characters, among them an upper-case letter, a lower-case "
            f"letter and a digit; this one has {', '.join(faults)}."
        )


def generate_password() -> str:
    """Return a new password that nobody can guess and that fulfils the rule."""
    while True:
        password = secrets.token_urlsafe(_GENERATED_BYTES)
        try:
            check_password(password)
        except PasswordTooWeak:
            continue
        return password


async def hash_password(password: str) -> str:
    """Return the encoded hash, with its parameters and salt."""
    return await asyncio.to_thread(_HASHER.hash, password)


async def is_password(password: str, password_hash: str) -> bool:
    """Whether the hash is of this password; takes its time in a thread."""
    return await asyncio.to_thread(_is_password, password, password_hash)


def _is_password(password: str, password_hash: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
