"""The authenticator of local users. Others (LDAP, OIDC) will stand behind the same port."""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from typing import Final, Protocol

from app.auth import store
from app.db import Database
from app.users.model import User
from app.users.passwords import hash_password, is_password

_REMEMBERED: Final = 1_000


class Authenticator(Protocol):
    """Turns a name and a password into a user."""

    async def authenticate(self, username: str, password: str) -> User | None:
        """Return the user, or None for an unknown name, a wrong password or a disabled user."""


class LocalAuthenticator:
    """Checks passwords against the database.

    argon2 is slow on purpose, and clients send Basic with every request. So a password that was
    right is remembered under a keyed hash, for as long as the user's row holds the same hash.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._key = secrets.token_bytes(32)
        self._proven: OrderedDict[bytes, str] = OrderedDict()
        self._decoy: str | None = None

    async def authenticate(self, username: str, password: str) -> User | None:
        """Return the user, or None; an unknown name takes as long as a wrong password."""
        if "\0" in username:
            return None
        user = await store.find_user(self._database, username)
        if user is None:
            self._decoy = self._decoy or await hash_password(secrets.token_hex())
            await is_password(password, self._decoy)
            return None
        proof = hmac.digest(self._key, f"{user.id}\0{password}".encode(), hashlib.sha256)
        if self._proven.get(proof) != user.password_hash:
            if not await is_password(password, user.password_hash):
                return None
            self._proven[proof] = user.password_hash
            if len(self._proven) > _REMEMBERED:
                self._proven.popitem(last=False)
        return None if user.is_disabled else user
