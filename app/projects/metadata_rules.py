"""Which metadata a project can have (Harbor's keys), and which values: strings all of them."""

from collections.abc import Mapping
from typing import Final

from app.harbor.errors import BadRequest

PUBLIC: Final = "public"

_SWITCHES: Final = {
    PUBLIC,
    "enable_content_trust",
    "enable_content_trust_cosign",
    "prevent_vul",
    "auto_scan",
    "auto_sbom_generation",
    "reuse_sys_cve_allowlist",
    "proxy_referrer_api",
    "proxy_cache_local_on_not_found",
}
_TRUE: Final = {"1", "t", "true"}
_FALSE: Final = {"0", "f", "false"}
_SEVERITIES: Final = {"none", "low", "medium", "high", "critical"}
_OF_PROXIES: Final = {
    "proxy_speed_kb",
    "max_upstream_conn",
    "proxy_cache_filter_pattern",
    "proxy_cache_filter_kind",
}
_RETENTION: Final = "retention_id"


def checked(key: str, value: str) -> str:
    """Return the value as it is kept; raise BadRequest for an unknown key or a value that cannot be."""
    if key in _SWITCHES:
        return _switch(key, value)
    if key == "severity":
        if value.lower() not in _SEVERITIES:
            raise BadRequest("severity: it is none, low, medium, high or critical")
        return value.lower()
    if key in _OF_PROXIES:
        raise BadRequest(f"{key}: only a project that caches another registry has it")
    if key == _RETENTION:
        raise BadRequest(f"{key}: it follows the project's retention policy and is not set by hand")
    raise BadRequest(f"{key[:100]}: projects have no such metadata")


def of_request(given: Mapping[str, str | None]) -> dict[str, str]:
    """Return what a request for a whole project sets.

    Clients send back what they read, with what is empty and what only proxies have: that is left out.
    Raises BadRequest as `checked` does.
    """
    left_out = {*_OF_PROXIES, _RETENTION}
    return {key: checked(key, value) for key, value in given.items() if value and key not in left_out}


def _switch(key: str, value: str) -> str:
    lowered = value.lower()
    if lowered in _TRUE:
        return "true"
    if lowered in _FALSE:
        return "false"
    raise BadRequest(f'{key}: it is "true" or "false"')
