"""Giving users roles in projects."""

from app.access import Role
from app.db import Transaction
from app.members import store
from app.projects.find import find_project_id
from app.users.find import find_user


class NoSuchProject(Exception):
    """There is no project of that name."""


class NoSuchUser(Exception):
    """There is no user of that name."""


async def assign_role(tx: Transaction, project: str, username: str, *, role: Role) -> None:
    """Give the user the role, instead of any other; raise NoSuchProject or NoSuchUser."""
    project_id = await find_project_id(tx, project)
    if project_id is None:
        raise NoSuchProject(project)
    user = await find_user(tx, username)
    if user is None:
        raise NoSuchUser(username)
    await store.upsert_member(tx, project_id, user.id, role=role)
