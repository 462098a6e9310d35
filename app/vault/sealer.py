"""Encryption with keys that can be rotated: the first one seals, each of them opens."""

import base64
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
        ids = [key.hex()[:_ID_LENGTH] for key in settings.keys_for(b"roadstead vault key id 1")]
        fernets = [Fernet(base64.urlsafe_b64encode(key)) for key in settings.keys_for(b"roadstead vault 1")]
        self._fernets = dict(zip(ids, fernets, strict=True))
        self.key_id: Final = ids[0]

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
