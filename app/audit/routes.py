"""The audit log (Harbor's `auditlog` group)."""

from typing import Final

from aiohttp import web

from app.access import Permission
from app.access.routing import actor_of, api, project_call_of, standing_of
from app.audit.model import event_types
from app.audit.schemas import AuditLog, AuditLogEventType, AuditLogExt
from app.audit.search import list_of_project, list_readable
from app.http.endpoint import Listed, ListParams
from app.resources import resources


async def list_audit_logs(request: web.Request, query: ListParams) -> Listed[AuditLog]:
    """List what happened, as older clients read it."""
    r, actor, standing = resources(request), actor_of(request), standing_of(request)
    page = await list_readable(r, actor, standing, query=query.list_query())
    return Listed([AuditLog.of(entry) for entry in page.rows], page.total)


async def list_audit_log_exts(request: web.Request, query: ListParams) -> Listed[AuditLogExt]:
    """List what happened, with its result and where it came from."""
    r, actor, standing = resources(request), actor_of(request), standing_of(request)
    page = await list_readable(r, actor, standing, query=query.list_query())
    return Listed([AuditLogExt.of(entry) for entry in page.rows], page.total)


async def list_audit_log_event_types(_request: web.Request) -> list[AuditLogEventType]:
    """List the kinds of entries that there can be."""
    return [AuditLogEventType(name) for name in event_types()]


async def list_project_logs(request: web.Request, query: ListParams) -> Listed[AuditLog]:
    """List what happened in a project, as older clients read it."""
    call = project_call_of(request)
    page = await list_of_project(resources(request), call.project_name, query.list_query())
    return Listed([AuditLog.of(entry) for entry in page.rows], page.total)


async def list_project_log_exts(request: web.Request, query: ListParams) -> Listed[AuditLogExt]:
    """List what happened in a project, with its result and where it came from."""
    call = project_call_of(request)
    page = await list_of_project(resources(request), call.project_name, query.list_query())
    return Listed([AuditLogExt.of(entry) for entry in page.rows], page.total)


_route = api("auditlog")

ROUTES: Final = (
    _route("GET", "/audit-logs", list_audit_logs, permission=Permission.LOGIN),
    _route("GET", "/auditlog-exts", list_audit_log_exts, permission=Permission.LOGIN),
    _route("GET", "/auditlog-exts/events", list_audit_log_event_types, permission=Permission.LOGIN),
    _route("GET", "/projects/{project_name}/logs", list_project_logs, permission=Permission.LOG_LIST),
    _route(
        "GET", "/projects/{project_name}/auditlog-exts", list_project_log_exts, permission=Permission.LOG_LIST
    ),
)
