"""Encryption with keys that can be rotated: the first one seals, each of them opens."""

import base64
import hashlib
import hmac
from typing import Final

from cryptography.fernet import Fernet, InvalidToken

from app.settings import AuthSettings
from app.vault.model import Sealed

_ID_LENGTH: Final = 16


class SecretUnreadable(Exception):
    """A secret was sealed with a key that is not among the settings any more."""

    def __init__(self) -> None:
        super().__init__(
            "a stored secret cannot be read: it was encrypted with a key that is not set any more. Add that "
            "key to ROADSTEAD_AUTH_PREVIOUS_SECRET_KEYS, or store the secret anew"
        )


class Sealer:
    """Seals with the installation's secret key; opens what that one or a previous one sealed."""

    def __init__(self, settings: AuthSettings) -> None:
        keys = [str(settings.secret_key), *settings.previous_keys]
        self._fernets = {_key_id(key): _fernet(key) for key in reversed(keys)}
        self.key_id: Final = _key_id(keys[0])

    def seal(self, secret: str) -> Sealed:
        """Encrypt with the key in force."""
        return Sealed(self.key_id, self._fernets[self.key_id].encrypt(secret.encode()).decode())

    def open(self, sealed: Sealed) -> str:
        """Decrypt; raise SecretUnreadable."""
        fernet = self._fernets.get(sealed.key_id)
        if fernet is None:
            raise SecretUnreadable
        try:
            return fernet.decrypt(sealed.token.encode()).decode()
        except InvalidToken:
            raise SecretUnreadable from None

    def knows(self, key_id: str) -> bool:
        """Whether what this key sealed can be opened."""
        return key_id in self._fernets


def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derived(key, b"roadstead vault 1")))


def _key_id(key: str) -> str:
    return _derived(key, b"roadstead vault key id 1").hex()[:_ID_LENGTH]


def _derived(key: str, purpose: bytes) -> bytes:
    return hmac.digest(key.encode(), purpose, hashlib.sha256)
