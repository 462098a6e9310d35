"""The system as JSON (Harbor's GeneralInfo, SystemInfo, OverallHealthStatus, Permissions)."""

from datetime import datetime

from msgspec import Struct

from app.access import Permission


class GeneralInfo(Struct, frozen=True, omit_defaults=True):
    """What the system is; who is not logged in gets the first five."""

    auth_mode: str
    primary_auth_mode: bool
    self_registration: bool
    banner_message: str
    oidc_provider_name: str
    current_time: datetime | None = None
    external_url: str | None = None
    registry_url: str | None = None
    project_creation_restriction: str | None = None
    has_ca_root: bool | None = None
    harbor_version: str | None = None
    registry_storage_provider_name: str | None = None
    read_only: bool | None = None
    notification_enable: bool | None = None


class Storage(Struct, frozen=True):
    """Room on one storage, in bytes."""

    total: int
    free: int


class SystemInfo(Struct, frozen=True):
    """Room for content."""

    storage: list[Storage]


class ComponentHealth(Struct, frozen=True, omit_defaults=True):
    """How one part does: `healthy`, or `unhealthy` and why."""

    name: str
    status: str
    error: str = ""


class OverallHealth(Struct, frozen=True):
    """How all of it does: healthy when every part is."""

    status: str
    components: list[ComponentHealth]


class PermissionAnswer(Struct, frozen=True):
    """An action on a resource."""

    resource: str
    action: str

    @classmethod
    def of(cls, permissions: tuple[Permission, ...]) -> "list[PermissionAnswer]":
        """Return permissions as clients see them."""
        return [cls(permission.resource, permission.action) for permission in permissions]


class Permissions(Struct, frozen=True, omit_defaults=True):
    """What robots can be given: on the system, which only administrators see, and in projects."""

    project: list[PermissionAnswer]
    system: list[PermissionAnswer] = []
