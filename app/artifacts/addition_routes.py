"""Additions of artifacts (Harbor's `artifact` group)."""

from typing import Final

from aiohttp import web

from app.access import Permission
from app.access.routing import api, repository_of
from app.artifacts import browse
from app.artifacts.additions import AdditionName, read_addition
from app.harbor.errors import NotFound
from app.oci.names import parse_reference
from app.resources import resources

# What clients pushed is shown by browsers on this address: as text, and never as anything else.
_AS_IT_IS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


async def get_addition(request: web.Request, reference: str, addition: AdditionName) -> web.Response:
    """Get the build history of an image, or the texts, files and dependencies of a chart."""
    found = await read_addition(
        resources(request), repository_of(request), parse_reference(reference), name=addition
    )
    return web.Response(body=found.content, content_type=found.media_type, charset="utf-8", headers=_AS_IT_IS)


async def get_vulnerabilities_addition(request: web.Request, reference: str) -> web.Response:
    """Get the vulnerabilities of an artifact; there are none to tell of without a scanner."""
    await browse.find_id(resources(request), repository_of(request), parse_reference(reference))
    raise NotFound("no scanner is configured, so nothing is known of vulnerabilities")


_ADDITIONS: Final = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/additions"
_route = api("artifact")

ROUTES: Final = (
    _route(
        "GET",
        _ADDITIONS + "/vulnerabilities",
        get_vulnerabilities_addition,
        permission=Permission.ARTIFACT_ADDITION_READ,
    ),
    _route(
        "GET",
        _ADDITIONS + "/{addition}",
        get_addition,
        permission=Permission.ARTIFACT_ADDITION_READ,
    ),
)
