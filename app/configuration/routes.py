"""The configuration of the system (Harbor's `configure` group)."""

from typing import Annotated, Any, Final, TypeAlias

import msgspec
from aiohttp import web
from msgspec import Meta

from app.access import Permission
from app.access.routing import api, cause_of
from app.configuration.change import change
from app.configuration.current import current, fixed
from app.configuration.model import Configuration
from app.configuration.schemas import ConfigurationItem
from app.resources import resources

_KEYS: Final = msgspec.json.schema_components([Configuration])[1]["Configuration"]["properties"]
Changes: TypeAlias = Annotated[
    dict[str, Any],
    Meta(description="Keys and what to set them to.", extra_json_schema={"properties": _KEYS}),
]


async def get_configurations(request: web.Request) -> dict[str, ConfigurationItem]:
    """Get what is configured."""
    r = resources(request)
    constant = {key: ConfigurationItem(value, editable=False) for key, value in fixed(r.settings).items()}
    configured = msgspec.structs.asdict(await current(r))
    return constant | {key: ConfigurationItem(value, editable=True) for key, value in configured.items()}


async def update_configurations(request: web.Request, body: Changes) -> None:
    """Change what is configured, all of it or nothing."""
    await change(resources(request), body, cause_of(request))


_route = api("configure")

ROUTES: Final = (
    _route("GET", "/configurations", get_configurations, permission=Permission.SYSTEM_CONFIGURATION_READ),
    _route(
        "PUT",
        "/configurations",
        update_configurations,
        permission=Permission.SYSTEM_CONFIGURATION_UPDATE,
        works_read_only=True,
    ),
)
