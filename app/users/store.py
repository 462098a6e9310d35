"""Statements on users."""

from datetime import datetime
from typing import Final

from app.db import SQL, Column, Listing, Statements, Transaction
from app.users.model import Description, Profile, User

FIND_USER = SQL("""
    SELECT id, username, password_hash, is_sysadmin, is_disabled, credential_version
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


PROFILES = Listing(
    Profile,
    rows="""
        SELECT id, username, email, realname, comment, is_sysadmin, created_at, updated_at FROM users
        WHERE {conditions} ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    """,
    count="SELECT count(*) FROM users WHERE {conditions}",
    columns={
        "user_id": Column("id", int),
        "username": Column("username"),
        "email": Column("email"),
        "realname": Column("realname"),
        "comment": Column("comment"),
        "sysadmin_flag": Column("is_sysadmin", bool),
        "creation_time": Column("created_at", datetime),
        "update_time": Column("updated_at", datetime),
    },
    order="id",
)

_PROFILE: Final = """
    SELECT id, username, email, realname, comment, is_sysadmin, created_at, updated_at
    FROM users WHERE id = %(user_id)s
"""
FIND_PROFILE = SQL(_PROFILE)


async def find_profile(statements: Statements, user_id: int) -> Profile | None:
    """Return a user."""
    return await statements.maybe(Profile, FIND_PROFILE, user_id=user_id)


LOCK_PROFILE = SQL(_PROFILE + "FOR UPDATE")


async def lock_profile(tx: Transaction, user_id: int) -> Profile | None:
    """Return a user whom nobody else changes until `tx` ends."""
    return await tx.maybe(Profile, LOCK_PROFILE, user_id=user_id)


FIND_PASSWORD_HASH = SQL("SELECT password_hash FROM users WHERE id = %(user_id)s")


async def find_password_hash(statements: Statements, user_id: int) -> str | None:
    """Return the hash of a user's password."""
    found = await statements.value(FIND_PASSWORD_HASH, user_id=user_id)
    return None if found is None else str(found)


INSERT_PROFILE = SQL("""
    INSERT INTO users (username, email, realname, comment, password_hash)
    VALUES (%(username)s, %(email)s, %(realname)s, %(comment)s, %(password_hash)s)
    ON CONFLICT DO NOTHING RETURNING id
""")


async def insert_profile(
    tx: Transaction, username: str, wanted: Description, *, password_hash: str
) -> int | None:
    """Add a user and return the id, or None when the name or the e-mail address is taken."""
    found = await tx.value(
        INSERT_PROFILE,
        username=username,
        email=wanted.email,
        realname=wanted.realname,
        comment=wanted.comment,
        password_hash=password_hash,
    )
    return None if found is None else int(found)


UPDATE_PROFILE = SQL("""
    UPDATE users SET email = %(email)s, realname = %(realname)s, comment = %(comment)s, updated_at = now()
    WHERE id = %(user_id)s
""")


async def update_profile(tx: Transaction, user_id: int, wanted: Description) -> None:
    """Replace what is said about a user; raise UniqueViolation when the e-mail address is taken."""
    await tx.run(
        UPDATE_PROFILE,
        user_id=user_id,
        email=wanted.email,
        realname=wanted.realname,
        comment=wanted.comment,
    )


UPDATE_SYSADMIN = SQL("""
    UPDATE users SET is_sysadmin = %(is_sysadmin)s, updated_at = now() WHERE id = %(user_id)s
""")


async def update_sysadmin(tx: Transaction, user_id: int, *, is_sysadmin: bool) -> None:
    """Make a user an administrator, or not."""
    await tx.run(UPDATE_SYSADMIN, user_id=user_id, is_sysadmin=is_sysadmin)


DELETE_USER = SQL("DELETE FROM users WHERE id = %(user_id)s")


async def delete_user(tx: Transaction, user_id: int) -> None:
    """Remove a user, and the memberships and sessions with it."""
    await tx.run(DELETE_USER, user_id=user_id)
