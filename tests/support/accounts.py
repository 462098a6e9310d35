"""Accounts as fixtures make them: a password is as hard to check as its hash says, and these are easy."""

from typing import Final

from argon2 import PasswordHasher

from app.db import Transaction
from app.users.store import insert_user

_EASY: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


async def make_account(tx: Transaction, username: str, password: str, *, is_sysadmin: bool = False) -> None:
    """Add a user whose password the registry checks as that of any other, a thousand times as fast."""
    await insert_user(tx, username, password_hash=_EASY.hash(password), is_sysadmin=is_sysadmin)
