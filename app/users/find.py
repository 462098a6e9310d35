"""Finding users and groups, for the slices above."""

from app.db import Statements
from app.users import group_store, store
from app.users.model import User


async def find_user(statements: Statements, username: str) -> User | None:
    """Return the user of that name, in whatever case."""
    return await store.find_user(statements, username)


async def find_user_id(statements: Statements, user_id: int, username: str) -> int | None:
    """Return the id of the user of this id, or where it is 0 of this name."""
    return await store.find_user_id(statements, user_id, username)


async def find_group_id(statements: Statements, group_id: int, name: str, *, ldap_dn: str) -> int | None:
    """Return the id of the group of this id, else of this place in the directory, else of this name."""
    return await group_store.find_group_id(statements, group_id, name, ldap_dn=ldap_dn)
