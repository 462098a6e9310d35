"""Composition root of the web process: settings, resources, middlewares, every slice's routes."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from functools import cache
from importlib.metadata import version
from socket import socket
from typing import Any, Final

import structlog
from aiohttp import web

from app.access import Permission
from app.access.routing import AUTHORITY, Route, guarded
from app.artifacts import addition_routes, change_routes
from app.artifacts import routes as artifact_routes
from app.audit import routes as audit_routes
from app.auth import routes as auth_routes
from app.auth import session_routes
from app.auth.authority import REGISTRY_AUTHORITY, RegistryAuthority
from app.auth.login import Logins
from app.auth.passwords import LocalAuthenticator, Proofs, RobotAuthenticator
from app.auth.tokens import TokenSigner
from app.blobs import routes as blob_routes
from app.blobs import upload_routes
from app.configuration import routes as configuration_routes
from app.downloads import routes as download_routes
from app.downloads.signing import LinkSigner
from app.http import EXTERNAL_URL, TRUSTED_PROXIES, Runner, answered, continue_later, logged, mark_answer
from app.immutability import routes as immutability_routes
from app.jobservice import routes as jobservice_routes
from app.labels import routes as label_routes
from app.logging import configure_logging
from app.manifests import routes as manifest_routes
from app.manifests.pulls import PULL_LOG, PullLog
from app.members import routes as member_routes
from app.openapi import routes as openapi_routes
from app.openapi.document import describe
from app.projects import metadata_routes as project_metadata_routes
from app.projects import routes as project_routes
from app.quotas import routes as quota_routes
from app.repositories import management_routes
from app.repositories import routes as repository_routes
from app.resources import RESOURCES, Resources, open_resources, resources
from app.robots import routes as robot_routes
from app.search import routes as search_routes
from app.settings import Settings
from app.system import routes as system_routes
from app.tags import routes as tag_routes
from app.users import group_routes as user_group_routes
from app.users import routes as user_routes
from app.webhooks import log_routes as webhook_log_routes
from app.webhooks import routes as webhook_routes
from app.webhooks import target_routes as webhook_target_routes

log = structlog.get_logger()

_LINGER_SECONDS: Final = 2.0
"""How long the rest of a body is read and thrown away after an answer that did not wait for it."""

_LONGEST_LINE_BYTES: Final = 64 << 10
"""The longest `q` and `sort` that the API takes fit into an address, with every character escaped."""

_READ_BYTES: Final = 256 << 10
"""How much of a body may wait in memory per connection before the client is slowed."""


async def healthz(_request: web.Request) -> web.Response:
    """Say that the process answers."""
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """Say that the database can be reached, 503 otherwise; and of the storage, how it does."""
    r = resources(request)
    await r.database.ping()
    return web.json_response({"status": "ok", "storage": "healthy" if r.watch.is_well() else "unhealthy"})


ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "/healthz", healthz, Permission.ANYONE),
    Route("GET", "/readyz", readyz, Permission.ANYONE),
    *auth_routes.ROUTES,
    *session_routes.ROUTES,
    *manifest_routes.ROUTES,
    *blob_routes.ROUTES,
    *upload_routes.ROUTES,
    *tag_routes.ROUTES,
    *repository_routes.ROUTES,
    *project_routes.ROUTES,
    *project_metadata_routes.ROUTES,
    *member_routes.ROUTES,
    *quota_routes.ROUTES,
    *immutability_routes.ROUTES,
    *webhook_routes.ROUTES,
    *webhook_log_routes.ROUTES,
    *webhook_target_routes.ROUTES,
    *management_routes.ROUTES,
    *artifact_routes.ROUTES,
    *change_routes.ROUTES,
    *addition_routes.ROUTES,
    *label_routes.ROUTES,
    *download_routes.ROUTES,
    *search_routes.ROUTES,
    *audit_routes.ROUTES,
    *jobservice_routes.ROUTES,
    *robot_routes.ROUTES,
    *configuration_routes.ROUTES,
    *system_routes.ROUTES,
    *user_routes.ROUTES,
    *user_group_routes.ROUTES,
    *openapi_routes.ROUTES,
)

_document: Final[Callable[[], dict[str, Any]]] = cache(lambda: describe(ROUTES, version=version("roadstead")))


def build(r: Resources) -> web.Application:
    """Join the slices into one application."""
    middlewares = [logged, answered] if r.settings.log.requests else [answered]
    application = web.Application(middlewares=middlewares)
    signer = TokenSigner(r.settings.auth)
    proofs = Proofs()
    robots = RobotAuthenticator(r.database, proofs, prefix=r.settings.auth.robot_prefix)
    logins = Logins(r, (robots, LocalAuthenticator(r.database, proofs)))
    authority = RegistryAuthority(r, logins, signer)
    application[RESOURCES] = r
    application[download_routes.LINK_SIGNER] = LinkSigner(r.settings.auth)
    application[AUTHORITY] = authority
    application[REGISTRY_AUTHORITY] = authority
    application[auth_routes.TOKEN_SIGNER] = signer
    application[openapi_routes.DOCUMENT] = _document
    application[PULL_LOG] = PullLog(r.database)
    application[EXTERNAL_URL] = r.settings.external_url
    application[TRUSTED_PROXIES] = r.settings.proxy_networks
    application.cleanup_ctx.append(_record_pulls)
    application.on_response_prepare.append(mark_answer)
    application.on_response_prepare.append(session_routes.show_csrf_token)
    _mount(application)
    return application


def _mount(application: web.Application) -> None:
    heads = {route.path for route in ROUTES if route.method == "HEAD"}
    # Paths are tried in the order of the routes: first those that nearly all requests have.
    usual = [(route, route.paths[0]) for route in ROUTES]
    further = [(route, path) for route in ROUTES for path in route.paths[1:]]
    for route, path in usual + further:
        # RFC 9110, section 9.1: HEAD goes wherever GET goes.
        methods = ("GET", "HEAD") if route.method == "GET" and route.path not in heads else (route.method,)
        for method in methods:
            application.router.add_route(method, path, guarded(route), expect_handler=continue_later)


def runner_of(r: Resources) -> Runner:
    """Return what serves the application."""
    return Runner(
        build(r),
        access_log=None,
        # Content is what was sent: a digest is of these bytes, and fifty of them must not become gigabytes.
        auto_decompress=False,
        keepalive_timeout=75,
        read_bufsize=_READ_BYTES,
        max_line_size=_LONGEST_LINE_BYTES,
        lingering_time=_LINGER_SECONDS,
        shutdown_timeout=r.settings.shutdown_grace.total_seconds(),
    )


async def serve(settings: Settings, sock: socket) -> None:
    """Run one web process on a listening socket until SIGTERM or SIGINT, then drain."""
    configure_logging(settings.log)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_resources(settings) as r:
        runner = runner_of(r)
        await runner.setup()
        try:
            await web.SockSite(runner, sock, backlog=1024).start()
            log.info("web_process_started", listen=settings.listen)
            await stop.wait()
        finally:
            await runner.cleanup()
            log.info("web_process_stopped")


async def _record_pulls(application: web.Application) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(application[PULL_LOG].run(stop))
    yield
    stop.set()
    await task
