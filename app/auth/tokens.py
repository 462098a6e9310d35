"""Registry tokens: short-lived JWTs that carry grants (distribution, "Token Authentication")."""

import time
from collections import OrderedDict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import jwt
import msgspec
from msgspec import Struct

from app.access import Actor, Grant
from app.settings import AuthSettings

_ALGORITHM: Final = "HS256"
_GRACE_SECONDS: Final = 30
"""A token is good for a little longer than clients are told: clocks differ, and networks take time."""
_REMEMBERED: Final = 4_096
_MAX_LENGTH: Final = 16_384
_REQUIRED: Final = ["exp", "iat", "nbf", "aud", "iss", "sub"]


class TokenInvalid(Exception):
    """The token is malformed, forged, expired, or of another service."""


class Token(Struct, frozen=True):
    """A token as the token endpoint answers it."""

    text: str
    expires_in: int
    issued_at: datetime


class TokenSigner:
    """Issues and verifies tokens with a key derived from the installation's secret."""

    def __init__(self, settings: AuthSettings) -> None:
        # The first one signs, each of them verifies.
        self._keys = settings.keys_for(b"roadstead registry token 1")
        self._service = settings.service
        self._lifetime = settings.token_lifetime
        self._verified: OrderedDict[str, tuple[float, Actor]] = OrderedDict()

    def issue(self, actor: Actor, grants: list[Grant], *, lifetime: timedelta | None = None) -> Token:
        """Sign a token that allows the actor what the grants say and nothing else."""
        now = int(time.time())
        seconds = int((lifetime or self._lifetime).total_seconds())
        claims: dict[str, Any] = {
            "iss": self._service,
            "aud": self._service,
            "sub": actor.username,
            "iat": now,
            "nbf": now - 5,
            "exp": now + seconds + _GRACE_SECONDS,
            "jti": uuid4().hex,
            "access": [msgspec.to_builtins(grant, enc_hook=str) for grant in grants],
        }
        claims |= {"uid": actor.user_id, "rid": actor.robot_id, "ver": actor.credential_version}
        text = jwt.encode(claims, self._keys[0], algorithm=_ALGORITHM)
        return Token(text=text, expires_in=seconds, issued_at=datetime.fromtimestamp(now, UTC))

    def verify(self, text: str) -> Actor:
        """Return who the token was issued to, with its grants; raise TokenInvalid.

        A token that was verified is remembered until it expires: what it says cannot change.
        """
        known = self._verified.get(text)
        if known is not None:
            expires, actor = known
            if time.time() < expires:
                return actor
            raise TokenInvalid("expired")
        if len(text) > _MAX_LENGTH:
            raise TokenInvalid("too long")
        try:
            claims = self._claims(text)
            grants = msgspec.convert(claims.get("access", []), tuple[Grant, ...])
        except (jwt.InvalidTokenError, msgspec.ValidationError) as error:
            raise TokenInvalid(str(error)) from None
        actor = Actor(
            username=claims["sub"],
            user_id=claims.get("uid"),
            robot_id=claims.get("rid"),
            credential_version=claims.get("ver"),
            grants=grants,
        )
        self._verified[text] = (claims["exp"], actor)
        if len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)
        return actor

    def _claims(self, text: str) -> dict[str, Any]:
        for key in self._keys[:-1]:
            with suppress(jwt.InvalidSignatureError):
                return self._decode(text, key)
        return self._decode(text, self._keys[-1])

    def _decode(self, text: str, key: bytes) -> dict[str, Any]:
        return jwt.decode(
            text,
            key,
            algorithms=[_ALGORITHM],
            audience=self._service,
            issuer=self._service,
            options={"require": _REQUIRED},
        )
