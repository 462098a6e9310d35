"""Passwords: hashed by argon2id with the parameters that OWASP recommends (19 MiB, 2 passes)."""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


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
