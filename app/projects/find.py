"""Finding projects, for the slices above."""

from app.db import Statements
from app.projects import store


async def find_project_id(statements: Statements, name: str) -> int | None:
    """Return the id of the project of that name."""
    return await store.find_project_id(statements, name)
