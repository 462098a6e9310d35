"""What is configured at this moment."""

from datetime import timedelta
from typing import Any, Final

import msgspec

from app.configuration import store
from app.configuration.absent import ABSENT
from app.configuration.model import Configuration
from app.resources import Resources
from app.settings import Settings

_MINUTE: Final = timedelta(minutes=1)


async def current(r: Resources) -> Configuration:
    """Return the configuration as the database has it now.

    Nothing is cached, so that a change counts at the next request of every process; callers that ask at
    the same time share one look-up.
    """
    return merged(r.settings, await store.get_configured(r.database))


async def token_lifetime(r: Resources) -> timedelta:
    """Return how long a registry token is good for: as configured, else as the setting says."""
    minutes = (await current(r)).token_expiration
    is_default = minutes == defaults(r.settings)["token_expiration"]
    return r.settings.auth.token_lifetime if is_default else minutes * _MINUTE


def merged(settings: Settings, configured: dict[str, Any]) -> Configuration:
    """Return the defaults with what was configured in their place; raise ValidationError."""
    return msgspec.convert(defaults(settings) | configured, Configuration)


def defaults(settings: Settings) -> dict[str, Any]:
    """Return the defaults that come from settings."""
    return {"token_expiration": -(-settings.auth.token_lifetime // _MINUTE)}


def fixed(settings: Settings) -> dict[str, bool | int | str]:
    """Return what Harbor's clients look for among the configuration and the API can't change here."""
    return ABSENT | {
        "auth_mode": "db_auth",
        "primary_auth_mode": False,
        "self_registration": False,
        "robot_name_prefix": settings.auth.robot_prefix,
        "audit_log_forward_endpoint": settings.audit.forward_to,
        "skip_audit_log_database": False,
        "disabled_audit_log_event_types": "",
        "pull_audit_log_disable": False,
        "pull_count_update_disable": False,
        "pull_time_update_disable": False,
        "scanner_skip_update_pulltime": False,
    }
