"""Making users, and the administrator of a new installation."""

from app.db import Transaction
from app.users import store
from app.users.passwords import check_password, hash_password, is_password

ADMIN = "admin"


class UsernameTaken(Exception):
    """There is a user of that name."""


async def create_user(tx: Transaction, username: str, password: str, *, is_sysadmin: bool = False) -> int:
    """Add a user and return the id; raise PasswordTooWeak or UsernameTaken."""
    check_password(password)
    if await store.find_user(tx, username) is not None:
        raise UsernameTaken(username)
    return await store.insert_user(
        tx, username, password_hash=await hash_password(password), is_sysadmin=is_sysadmin
    )


async def ensure_admin(tx: Transaction, password: str) -> None:
    """Make the user `admin`, or give it this password where it has another; raise PasswordTooWeak.

    A password that `admin` has already is not judged: it may be older than the rule.
    """
    admin = await store.find_user(tx, ADMIN)
    if admin is None:
        await create_user(tx, ADMIN, password, is_sysadmin=True)
    elif not await is_password(password, admin.password_hash):
        await _replace_password(tx, admin.id, password)


async def set_password(tx: Transaction, username: str, password: str) -> bool:
    """Give a user another password; raise PasswordTooWeak; False when there is no such user."""
    user = await store.find_user(tx, username)
    if user is not None:
        await _replace_password(tx, user.id, password)
    return user is not None


async def _replace_password(tx: Transaction, user_id: int, password: str) -> None:
    check_password(password)
    await store.update_password(tx, user_id, await hash_password(password))
