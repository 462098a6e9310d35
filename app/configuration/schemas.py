"""Configuration as JSON (Harbor's ConfigurationsResponse)."""

from msgspec import Struct


class ConfigurationItem(Struct, frozen=True):
    """What a key is set to, and whether it can be set by the API."""

    value: bool | int | str
    editable: bool
