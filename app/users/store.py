"""Statements on users."""

from app.db import SQL, Statements, Transaction
from app.users.model import User

FIND_USER = SQL("""
    SELECT id, username, password_hash, is_sysadmin, is_disabled
    FROM users WHERE lower(username) = lower(%(username)s)
""")


async def find_user(statements: Statements, username: str) -> User | None:
    """Return the user of that name, in whatever case."""
    return await statements.maybe(User, FIND_USER, username=username)


INSERT_USER = SQL("""
    INSERT INTO users (username, password_hash, is_sysadmin)
    VALUES (%(username)s, %(password_hash)s, %(is_sysadmin)s) RETURNING id
""")


async def insert_user(tx: Transaction, username: str, *, password_hash: str, is_sysadmin: bool) -> int:
    """Add a user and return the id; raise UniqueViolation when the name is taken."""
    return int(
        await tx.value(INSERT_USER, username=username, password_hash=password_hash, is_sysadmin=is_sysadmin)
    )


UPDATE_PASSWORD = SQL("""
    UPDATE users SET password_hash = %(password_hash)s, updated_at = now() WHERE id = %(user_id)s
""")


async def update_password(tx: Transaction, user_id: int, password_hash: str) -> None:
    """Replace a user's password."""
    await tx.run(UPDATE_PASSWORD, user_id=user_id, password_hash=password_hash)


FIND_USER_ID = SQL("""
    SELECT id FROM users
    WHERE CASE WHEN %(user_id)s > 0 THEN id = %(user_id)s ELSE lower(username) = lower(%(username)s) END
""")


async def find_user_id(statements: Statements, user_id: int, username: str) -> int | None:
    """Return the id of the user of this id, or where it is 0 of this name."""
    found = await statements.value(FIND_USER_ID, user_id=user_id, username=username)
    return None if found is None else int(found)


FIND_GROUP_ID = SQL("""
    SELECT id FROM user_groups
    WHERE CASE WHEN %(group_id)s > 0 THEN id = %(group_id)s ELSE name = %(name)s END
""")


async def find_group_id(statements: Statements, group_id: int, name: str) -> int | None:
    """Return the id of the group of this id, or where it is 0 of this name."""
    found = await statements.value(FIND_GROUP_ID, group_id=group_id, name=name)
    return None if found is None else int(found)
