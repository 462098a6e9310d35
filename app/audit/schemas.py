"""The audit log as JSON (Harbor's AuditLog and AuditLogExt)."""

from datetime import datetime
from typing import Self

from msgspec import Struct

from app.audit.model import LoggedEntry


class AuditLog(Struct, frozen=True):
    """An entry of the log, as older clients read it."""

    id: int
    username: str
    resource: str
    resource_type: str
    operation: str
    op_time: datetime

    @classmethod
    def of(cls, entry: LoggedEntry) -> Self:
        """Return an entry as clients see it."""
        return cls(
            id=entry.id,
            username=entry.username,
            resource=entry.resource,
            resource_type=entry.resource_type,
            operation=entry.operation,
            op_time=entry.occurred_at,
        )


class AuditLogExt(Struct, frozen=True):
    """An entry of the log with what came of it, and where it came from."""

    id: int
    username: str
    resource: str
    resource_type: str
    operation: str
    operation_description: str
    operation_result: bool
    op_time: datetime
    client_address: str
    user_agent: str
    request_id: str

    @classmethod
    def of(cls, entry: LoggedEntry) -> Self:
        """Return an entry as clients see it."""
        return cls(
            id=entry.id,
            username=entry.username,
            resource=entry.resource,
            resource_type=entry.resource_type,
            operation=entry.operation,
            operation_description=f"{entry.operation} {entry.resource_type}: {entry.resource}",
            operation_result=entry.is_success,
            op_time=entry.occurred_at,
            client_address=entry.address,
            user_agent=entry.user_agent,
            request_id=entry.request_id,
        )


class AuditLogEventType(Struct, frozen=True):
    """A kind of entry: operation and resource type with `_` between them."""

    event_type: str
