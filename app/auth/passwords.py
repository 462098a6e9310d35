"""Who a name and a secret belong to: local users and robots. Directories will stand behind the same port."""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from typing import Final, Protocol

from app.access import Actor
from app.auth import store
from app.db import Database
from app.users.model import User
from app.users.passwords import hash_password, is_password

_REMEMBERED: Final = 1_000


class Authenticator(Protocol):
    """Turns a name and a secret into a caller."""

    async def recognize(self, username: str, password: str) -> Actor | None:
        """Return the caller whose secret was right before; None where that takes a proof."""

    async def authenticate(self, username: str, password: str) -> Actor | None:
        """Return the caller, or None for an unknown name, a wrong secret or a disabled account."""


class Proofs:
    """Remembers secrets that were right.

    argon2 is slow on purpose, and clients send Basic with every request. So a secret that was right is
    remembered under a keyed hash, for as long as the account's row holds the same hash.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._proven: OrderedDict[bytes, str] = OrderedDict()
        self._decoy: str | None = None

    def remembers(self, account: str, secret: str, secret_hash: str) -> bool:
        """Whether the secret was the account's already."""
        return self._proven.get(self._proof(account, secret)) == secret_hash

    async def holds(self, account: str, secret: str, secret_hash: str | None) -> bool:
        """Whether the secret is the account's; None, an account that is not there, takes as long."""
        if secret_hash is None:
            self._decoy = self._decoy or await hash_password(secrets.token_hex())
            await is_password(secret, self._decoy)
            return False
        if self.remembers(account, secret, secret_hash):
            return True
        if not await is_password(secret, secret_hash):
            return False
        self._proven[self._proof(account, secret)] = secret_hash
        if len(self._proven) > _REMEMBERED:
            self._proven.popitem(last=False)
        return True

    def _proof(self, account: str, secret: str) -> bytes:
        return hmac.digest(self._key, f"{account}\0{secret}".encode(), hashlib.sha256)


class LocalAuthenticator:
    """Checks passwords of users against the database."""

    def __init__(self, database: Database, proofs: Proofs) -> None:
        self._database = database
        self._proofs = proofs

    async def recognize(self, username: str, password: str) -> Actor | None:
        """Return the user whose password was right before."""
        user = None if "\0" in username else await store.find_user(self._database, username)
        if user is None or user.is_disabled:
            return None
        is_known = self._proofs.remembers(f"user {user.id}", password, user.password_hash)
        return _user(user) if is_known else None

    async def authenticate(self, username: str, password: str) -> Actor | None:
        """Return the user, or None; an unknown name takes as long as a wrong password."""
        if "\0" in username:
            return None
        user = await store.find_user(self._database, username)
        is_right = await self._proofs.holds(
            f"user {user.id if user else 0}", password, user.password_hash if user else None
        )
        if user is None or not is_right or user.is_disabled:
            return None
        return _user(user)


class RobotAuthenticator:
    """Checks the secrets of robot accounts; names without their prefix are somebody else's business."""

    def __init__(self, database: Database, proofs: Proofs, *, prefix: str) -> None:
        self._database = database
        self._proofs = proofs
        self._prefix = prefix

    async def recognize(self, username: str, password: str) -> Actor | None:
        """Return the robot whose secret was right before."""
        if "\0" in username or not username.startswith(self._prefix):
            return None
        robot = await store.find_robot(self._database, username.removeprefix(self._prefix))
        if robot is None or not self._proofs.remembers(f"robot {robot.id}", password, robot.secret_hash):
            return None
        return self._robot(robot)

    async def authenticate(self, username: str, password: str) -> Actor | None:
        """Return the robot, or None; one that is disabled takes as long as a wrong secret."""
        if "\0" in username or not username.startswith(self._prefix):
            return None
        robot = await store.find_robot(self._database, username.removeprefix(self._prefix))
        is_right = await self._proofs.holds(
            f"robot {robot.id if robot else 0}", password, robot.secret_hash if robot else None
        )
        if robot is None or not is_right:
            return None
        return self._robot(robot)

    def _robot(self, robot: store.RobotLogin) -> Actor:
        return Actor(
            username=self._prefix + robot.name,
            robot_id=robot.id,
            credential_version=robot.credential_version,
        )


def _user(user: User) -> Actor:
    return Actor(username=user.username, user_id=user.id, credential_version=user.credential_version)
