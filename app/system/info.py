"""What the system is, for clients to adapt to."""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

import msgspec

from app.configuration.current import current, fixed
from app.resources import Resources
from app.system.schemas import GeneralInfo, Storage, SystemInfo

VERSION: Final = f"v{version('roadstead')}-roadstead"
"""In the form of Harbor's own, `v<release>-<build>`; clients show it."""


async def describe(r: Resources, *, is_known: bool, url: str) -> GeneralInfo:
    """Return what the system is, as reached at `url`; strangers are told what they need to log in."""
    configured, constant = await current(r), fixed(r.settings)
    for_everybody = GeneralInfo(
        auth_mode=str(constant["auth_mode"]),
        primary_auth_mode=bool(constant["primary_auth_mode"]),
        self_registration=bool(constant["self_registration"]),
        banner_message=configured.banner_message,
        oidc_provider_name="",
    )
    if not is_known:
        return for_everybody
    return msgspec.structs.replace(
        for_everybody,
        current_time=datetime.now(UTC),
        external_url=url,
        registry_url=url.partition("://")[2],
        project_creation_restriction=configured.project_creation_restriction,
        has_ca_root=False,
        harbor_version=VERSION,
        registry_storage_provider_name=r.settings.storage.driver,
        read_only=configured.read_only,
        notification_enable=configured.notification_enable,
    )


async def measure(r: Resources) -> SystemInfo:
    """Return how much room there is; nothing where the storage knows no limit."""
    room = await r.storage.room()
    return SystemInfo([Storage(room.total_bytes, room.free_bytes)] if room else [])
