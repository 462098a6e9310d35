"""What became of events and deliveries, and how targets fare, in Harbor's words where it has any."""

from datetime import datetime
from typing import Any, Literal, Self, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

TargetCondition: TypeAlias = Literal["closed", "open", "half-open", "paused"]


class Execution(Struct, frozen=True):
    """An event that a policy takes; `counts` has its deliveries by their status."""

    id: int
    policy_id: int
    event_id: UUID
    event_type: str
    occurred_at: datetime
    operator: str
    request_id: str
    data: dict[str, Any]
    created_at: datetime
    status: str
    kind: str
    counts: dict[str, int]
    finished_at: datetime | None

    @classmethod
    def of(cls, kind: object, counts: object, **columns: object) -> Self:
        """Return what a row says; nothing is known of tasks of targets that are gone."""
        return msgspec.convert({**columns, "kind": kind or "http", "counts": counts or {}}, cls)


class Attempt(Struct, frozen=True):
    """One attempt of a delivery; without a status there was no answer, and `error` says why."""

    number: int
    attempted_at: datetime
    took_seconds: float
    status: int | None
    error: str
    answer: str

    @property
    def outcome(self) -> str:
        """What came of it, in a few words."""
        return self.error or (f"HTTP {self.status}" if self.status else "")

    @property
    def line(self) -> str:
        """The attempt in a log; what others wrote is quoted, so that it stays one line."""
        status = self.status or "-"
        error, answer = (msgspec.json.encode(text).decode() for text in (self.error, self.answer))
        return (
            f"{self.attempted_at.isoformat()} attempt={self.number} status={status} "
            f"seconds={self.took_seconds:.3f} error={error} answer={answer}"
        )


class Delivery(Struct, frozen=True):
    """What is owed to a target because of an event, and what has become of it."""

    id: int
    webhook_id: UUID
    execution_id: int
    target_id: int
    kind: str
    address: str
    event_type: str
    repository_name: str
    occurred_at: datetime
    status: str
    attempts: int
    due_at: datetime
    give_up_at: datetime
    created_at: datetime
    finished_at: datetime | None
    last: Attempt | None

    @classmethod
    def of(cls, **columns: object) -> Self:
        """Return what a row says."""
        return msgspec.convert(columns, cls)


class LastTrigger(Struct, frozen=True):
    """When a policy took an event of a type for the last time."""

    policy_name: str
    event_type: str
    is_enabled: bool
    created_at: datetime
    triggered_at: datetime | None


class TargetState(Struct, frozen=True):
    """How a target fares at this moment, and what is owed to it."""

    id: int
    kind: str
    address: str
    failures: int
    failing_since: datetime | None
    open_until: datetime | None
    paused_at: datetime | None
    owed: int
    dead: int
    now: datetime

    @property
    def condition(self) -> TargetCondition:
        """What is sent to it: all, nothing for a while, one to see whether it is back, or nothing."""
        if self.paused_at is not None:
            return "paused"
        if self.open_until is None:
            return "closed"
        return "open" if self.open_until > self.now else "half-open"
