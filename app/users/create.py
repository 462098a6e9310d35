"""Making users, and the administrator of a new installation."""

from app.db import Transaction
from app.users import store
from app.users.passwords import hash_password, is_password

ADMIN = "admin"


class UsernameTaken(Exception):
    """There is a user of that name."""


async def create_user(tx: Transaction, username: str, password: str, *, is_sysadmin: bool = False) -> int:
    """Add a user and return the id; raise UsernameTaken."""
    if await store.find_user(tx, username) is not None:
        raise UsernameTaken(username)
    return await store.insert_user(
        tx, username, password_hash=await hash_password(password), is_sysadmin=is_sysadmin
    )


async def ensure_admin(tx: Transaction, password: str) -> None:
    """Make the user `admin`, or give it this password where it has another."""
    admin = await store.find_user(tx, ADMIN)
    if admin is None:
        await create_user(tx, ADMIN, password, is_sysadmin=True)
    elif not await is_password(password, admin.password_hash):
        await store.update_password(tx, admin.id, await hash_password(password))


async def set_password(tx: Transaction, username: str, password: str) -> bool:
    """Give a user another password; False when there is no such user."""
    user = await store.find_user(tx, username)
    if user is not None:
        await store.update_password(tx, user.id, await hash_password(password))
    return user is not None
