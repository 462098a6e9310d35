"""The system as a whole (Harbor's `systeminfo`, `health`, `ping` and `permissions` groups)."""

from typing import Final

from aiohttp import web

from app.access import Permission
from app.access.routing import Route, actor_of, api, standing_of
from app.harbor.errors import NotFound
from app.http import base_url
from app.resources import resources
from app.system import grantable, health, info
from app.system.schemas import GeneralInfo, OverallHealth, Permissions, SystemInfo


async def get_system_info(request: web.Request) -> GeneralInfo:
    """Get what the system is: little for strangers, more for those who are logged in."""
    is_known = standing_of(request).is_known
    return await info.describe(resources(request), is_known=is_known, url=base_url(request))


async def get_volumes(request: web.Request) -> SystemInfo:
    """Get how much room there is for content."""
    return await info.measure(resources(request))


async def get_certificate(_request: web.Request) -> None:
    """Get the certificate of the system's own authority: there is none."""
    raise NotFound("certificates are the business of whatever ends TLS in front of this")


async def get_health(request: web.Request) -> OverallHealth:
    """Get how the parts of the system do; 200 also when they do not, `status` says it."""
    return await health.check(resources(request))


async def ping(_request: web.Request) -> web.Response:
    """See that the system answers."""
    return web.Response(text="Pong")


async def get_permissions(request: web.Request) -> Permissions:
    """List what robots can be given, for those who administer the system or a project."""
    return await grantable.list_grantable(resources(request), actor_of(request), standing_of(request))


async def get_version(_request: web.Request) -> web.Response:
    """Say which version of the API is spoken here."""
    return web.json_response({"version": "v2.0"})


_system = api("systeminfo")

ROUTES: Final = (
    _system("GET", "/systeminfo", get_system_info, permission=Permission.EVERYBODY),
    _system("GET", "/systeminfo/volumes", get_volumes, permission=Permission.SYSTEM_SYSTEM_VOLUMES_READ),
    _system("GET", "/systeminfo/getcert", get_certificate, permission=Permission.ANYONE, errors=(404,)),
    api("health")("GET", "/health", get_health, permission=Permission.ANYONE),
    api("ping")("GET", "/ping", ping, permission=Permission.ANYONE),
    api("permissions")("GET", "/permissions", get_permissions, permission=Permission.LOGIN),
    Route("GET", "/api/version", get_version, Permission.ANYONE),
)
