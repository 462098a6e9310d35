"""Finding users, for the slices above."""

from app.db import Statements
from app.users import store
from app.users.model import User


async def find_user(statements: Statements, username: str) -> User | None:
    """Return the user of that name, in whatever case."""
    return await store.find_user(statements, username)
