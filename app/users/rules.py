"""What names and addresses of users can be: Harbor's rules."""

import re
from typing import Final

from app.harbor.errors import BadRequest
from app.users.model import Description
from app.users.passwords import PasswordTooWeak, check_password

_FORBIDDEN: Final = ',"~#%$'
_EMAIL: Final = re.compile(r"""[^@\s<>()\[\]\\,;:"]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}""")


def checked_description(email: str, realname: str, comment: str) -> Description:
    """Return what a user says about himself; raise BadRequest."""
    if not _EMAIL.fullmatch(email):
        raise BadRequest("email: an address such as `name@example.org`")
    if not realname.strip() or _is_odd(realname):
        raise BadRequest(f"realname: 1 to 255 characters, none of {_FORBIDDEN}")
    return Description(email, realname, comment)


def checked_username(username: str, robot_prefix: str) -> str:
    """Return the name; raise BadRequest for one that no login can have, or that robots have."""
    # What is before the colon is the name, in Basic credentials.
    if username != username.strip() or not username or ":" in username or _is_odd(username):
        raise BadRequest(f"username: 1 to 255 characters, none of {_FORBIDDEN}: and no space around them")
    if username.lower().startswith(robot_prefix.lower()):
        raise BadRequest(f"username: names of robot accounts begin with {robot_prefix}")
    return username


def checked_password(password: str) -> str:
    """Return the password; raise BadRequest for a weak one."""
    try:
        check_password(password)
    except PasswordTooWeak as error:
        raise BadRequest(f"password: {error}") from None
    return password


def _is_odd(name: str) -> bool:
    return not name.isprintable() or any(character in _FORBIDDEN for character in name)
