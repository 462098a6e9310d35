"""Sessions of browsers: a random key in a cookie, of which the database has a hash.

A session ends with its user, a changed password or a disabled account: the database sees to that.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from app.access import Actor
from app.auth import session_store as store
from app.configuration.current import current
from app.db import ForeignKeyViolation
from app.events import Cause, SessionClosed, SessionOpened, outbox
from app.harbor.errors import Unauthenticated
from app.resources import Resources

_KEY_BYTES: Final = 32
_MINUTE: Final = timedelta(minutes=1)
_SLACK: Final = 20
"""A session is prolonged at most so many times in its lifetime: most requests only read."""


def csrf_token(key: str) -> str:
    """Return what a page shows to prove that it can read the answers to the session's requests."""
    digest = hmac.digest(_bytes(key), b"roadstead csrf token 1", hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


async def open_session(r: Resources, actor: Actor, cause: Cause) -> str:
    """Open a session and return its key; raise Unauthenticated for a robot, or a user who is gone by now."""
    if actor.user_id is None:
        raise Unauthenticated("robot accounts have no sessions")
    key, lifetime = secrets.token_urlsafe(_KEY_BYTES), await _lifetime(r)
    async with r.database.transaction() as tx:
        try:
            await store.insert_session(tx, _hash(key), user_id=actor.user_id, lifetime=lifetime)
        except ForeignKeyViolation:
            raise Unauthenticated("there is no such user any more") from None
        await outbox.record(tx, cause, SessionOpened(name=cause.username))
    return key


async def find_actor(r: Resources, key: str) -> Actor | None:
    """Return whose session it is, and let it live on; None when there is none or no more."""
    session = await store.find_session(r.database, _hash(key))
    if session is None:
        return None
    lifetime = await _lifetime(r)
    if abs(lifetime - (session.expires_at - datetime.now(UTC))) > lifetime / _SLACK:
        async with r.database.autocommit() as statements:
            await store.update_expiry(statements, _hash(key), lifetime=lifetime)
    return Actor(username=session.username, user_id=session.user_id)


async def close_session(r: Resources, key: str, cause: Cause) -> None:
    """End a session, if there is one."""
    async with r.database.transaction() as tx:
        username = await store.delete_session(tx, _hash(key))
        if username is not None:
            known = Cause(username, cause.address, cause.user_agent, cause.request_id)
            await outbox.record(tx, known, SessionClosed(name=username))


async def remove_expired(r: Resources) -> int:
    """Remove the sessions that are over and return how many."""
    async with r.database.autocommit() as statements:
        return await store.delete_expired(statements)


async def _lifetime(r: Resources) -> timedelta:
    return (await current(r)).session_timeout * _MINUTE


def _hash(key: str) -> bytes:
    return hashlib.sha256(_bytes(key)).digest()


def _bytes(key: str) -> bytes:
    # A cookie is whatever bytes a client sends.
    return key.encode(errors="surrogateescape")
