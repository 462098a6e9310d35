"""What users and groups of users are."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct


class User(Struct, frozen=True):
    """Somebody who can log in."""

    id: int
    username: str
    password_hash: str
    is_sysadmin: bool
    is_disabled: bool
    credential_version: int


class Description(Struct, frozen=True):
    """What users say about themselves."""

    email: str
    realname: str
    comment: str


class Profile(Struct, frozen=True):
    """What is shown of a user."""

    id: int
    username: str
    email: str
    realname: str
    comment: str
    is_sysadmin: bool
    created_at: datetime
    updated_at: datetime


class GroupKind(StrEnum):
    """Where a group of users comes from."""

    LDAP = "ldap"
    HTTP = "http"
    OIDC = "oidc"

    @property
    def number(self) -> int:
        """The kind's number in Harbor's API."""
        return _NUMBERS[self]

    @classmethod
    def numbered(cls, number: int) -> "GroupKind | None":
        """Return the kind of that number in Harbor's API."""
        return next((kind for kind, known in _NUMBERS.items() if known == number), None)


_NUMBERS: Final = {GroupKind.LDAP: 1, GroupKind.HTTP: 2, GroupKind.OIDC: 3}


class Group(Struct, frozen=True):
    """A group of a directory; who belongs to it is what the directory says at a login."""

    id: int
    name: str
    kind: GroupKind
    ldap_dn: str
