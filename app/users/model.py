"""What a user is."""

from msgspec import Struct


class User(Struct, frozen=True):
    """Somebody who can log in."""

    id: int
    username: str
    password_hash: str
    is_sysadmin: bool
    is_disabled: bool
