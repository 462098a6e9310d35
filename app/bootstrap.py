"""What a new installation starts with: the user `admin` and the project `library`."""

from app.db import Database
from app.events import Cause
from app.oci.names import DEFAULT_PROJECT
from app.projects.create import ProjectNameTaken, create_project
from app.users.create import ensure_admin


async def bootstrap(database: Database, admin_password: str) -> None:
    """Make what is missing, and give `admin` this password; safe to run at every start."""
    async with database.transaction() as tx:
        if admin_password:
            await ensure_admin(tx, admin_password)
        try:
            await create_project(tx, DEFAULT_PROJECT, Cause(username="system"))
        except ProjectNameTaken:
            return
