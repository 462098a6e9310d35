"""A secret as it lies in the database."""

from typing import NamedTuple

from msgspec import Struct


class Sealed(NamedTuple):
    """Which key sealed a secret, and a Fernet token (AES-128-CBC with HMAC-SHA256)."""

    key_id: str
    token: str


class SealedSecret(Struct, frozen=True):
    """A secret of the vault."""

    id: int
    key_id: str
    token: str

    @property
    def sealed(self) -> Sealed:
        """What a sealer opens."""
        return Sealed(self.key_id, self.token)


class Counted(Struct, frozen=True):
    """How many secrets a key sealed."""

    key_id: str
    number: int


class Standing(Struct, frozen=True):
    """How many secrets there are, by what can be done with them."""

    current: int
    """Sealed with the key in force."""
    older: int
    """Sealed with a previous key."""
    unreadable: int
    """Sealed with a key that is not set."""
