"""Statements on sessions of browsers."""

from datetime import datetime, timedelta

from msgspec import Struct

from app.db import SQL, Database, Prepared, Statements, Transaction


class Session(Struct, frozen=True):
    """Who is logged in, and until when."""

    user_id: int
    username: str
    expires_at: datetime


FIND_SESSION = Prepared(
    "find_browser_session",
    ("bytea[]",),
    """
    SELECT u.id, u.username, s.expires_at
    FROM unnest($1) WITH ORDINALITY AS asked (key_hash, place)
    LEFT JOIN sessions s ON s.key_hash = asked.key_hash AND s.expires_at > now()
    LEFT JOIN users u ON u.id = s.user_id AND NOT u.is_disabled
    ORDER BY asked.place
    """,
)


async def find_session(database: Database, key_hash: bytes) -> Session | None:
    """Return the session of a key, unless it is over or its user is disabled."""
    row = await database.look_up(FIND_SESSION, key_hash)
    return None if row[0] is None else Session(*row)


INSERT_SESSION = SQL("""
    INSERT INTO sessions (key_hash, user_id, expires_at)
    VALUES (%(key_hash)s, %(user_id)s, now() + %(lifetime)s::interval)
""")


async def insert_session(tx: Transaction, key_hash: bytes, *, user_id: int, lifetime: timedelta) -> None:
    """Add a session; raise ForeignKeyViolation when there is no such user."""
    await tx.run(INSERT_SESSION, key_hash=key_hash, user_id=user_id, lifetime=lifetime)


UPDATE_EXPIRY = SQL("""
    UPDATE sessions SET expires_at = now() + %(lifetime)s::interval
    WHERE key_hash = %(key_hash)s AND expires_at > now()
""")


async def update_expiry(statements: Statements, key_hash: bytes, *, lifetime: timedelta) -> None:
    """Let a session live as long as a new one from now on."""
    await statements.run(UPDATE_EXPIRY, key_hash=key_hash, lifetime=lifetime)


DELETE_SESSION = SQL("""
    DELETE FROM sessions s USING users u WHERE s.key_hash = %(key_hash)s AND u.id = s.user_id
    RETURNING u.username
""")


async def delete_session(tx: Transaction, key_hash: bytes) -> str | None:
    """End a session and return whose it was; None when there is none."""
    found = await tx.value(DELETE_SESSION, key_hash=key_hash)
    return None if found is None else str(found)


DELETE_EXPIRED = SQL("DELETE FROM sessions WHERE expires_at <= now()")


async def delete_expired(statements: Statements) -> int:
    """Remove the sessions that are over and return how many."""
    return await statements.run(DELETE_EXPIRED)
