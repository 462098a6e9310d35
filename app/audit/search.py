"""Reading the audit log: administrators all of it, others what concerns projects that they look after."""

from app.access import ROLE_PERMISSIONS, Actor, Permission, Standing
from app.audit import store
from app.audit.model import LoggedEntry
from app.db import Page
from app.harbor.query import ListQuery
from app.resources import Resources

_READERS = [
    role.value for role, permissions in ROLE_PERMISSIONS.items() if Permission.LOG_LIST in permissions
]


async def list_of_project(r: Resources, project_name: str, query: ListQuery) -> Page[LoggedEntry]:
    """Return a page of what happened in a project, the newest first."""
    return await _page(r, [project_name], query)


async def list_readable(
    r: Resources, actor: Actor, standing: Standing, *, query: ListQuery
) -> Page[LoggedEntry]:
    """Return a page of what the caller may know, the newest first."""
    if standing.may(Permission.SYSTEM_AUDIT_LOG_LIST):
        return await _page(r, None, query)
    return await _page(r, await store.list_readable(r.database, actor.user_id or 0, _READERS), query)


async def _page(r: Resources, projects: list[str] | None, query: ListQuery) -> Page[LoggedEntry]:
    async with r.database.autocommit() as statements:
        return await store.ENTRIES.page(statements, query, projects=projects)
