"""Executions, tasks and deliveries of webhooks as JSON (Harbor's Execution, Task, WebhookJob ...)."""

from datetime import UTC, datetime
from typing import Annotated, Final, Self
from uuid import UUID

from msgspec import Meta, Struct

from app.http.endpoint import ListParams
from app.webhooks import log_model

NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)
"""As Harbor writes a moment that was not."""

_VENDORS: Final = {"http": "WEBHOOK", "slack": "SLACK", "teams": "TEAMS"}


class Metrics(Struct, frozen=True):
    """How many tasks an execution has, by their status."""

    task_count: int
    success_task_count: int
    error_task_count: int
    pending_task_count: int
    running_task_count: int
    scheduled_task_count: int
    stopped_task_count: int

    @classmethod
    def of(cls, counts: dict[str, int]) -> Self:
        """Return the numbers as clients see them."""
        return cls(
            task_count=sum(counts.values()),
            success_task_count=counts.get("Success", 0),
            error_task_count=counts.get("Error", 0),
            pending_task_count=counts.get("Pending", 0),
            running_task_count=counts.get("Running", 0),
            scheduled_task_count=counts.get("Scheduled", 0),
            stopped_task_count=counts.get("Stopped", 0),
        )


class ExecutionAttributes(Struct, frozen=True):
    """What happened: `payload` is what is posted in the format Default."""

    event_type: str
    operator: str
    payload: str


class Execution(Struct, frozen=True):
    """An event that a policy took; there is a task for each of its targets."""

    id: int
    vendor_type: str
    vendor_id: int
    status: str
    status_message: str
    metrics: Metrics
    trigger: str
    extra_attrs: ExecutionAttributes
    start_time: datetime
    end_time: datetime

    @classmethod
    def of(cls, execution: log_model.Execution, payload: str) -> Self:
        """Return an execution as clients see it."""
        return cls(
            id=execution.id,
            vendor_type=_VENDORS[execution.kind],
            vendor_id=execution.policy_id,
            status=execution.status,
            status_message="",
            metrics=Metrics.of(execution.counts),
            trigger="EVENT",
            extra_attrs=ExecutionAttributes(execution.event_type, execution.operator, payload),
            start_time=execution.created_at,
            end_time=execution.finished_at or NEVER,
        )


class TaskAttributes(Struct, frozen=True):
    """To whom, and by which id a consumer knows it."""

    target_id: int
    address: str
    webhook_id: UUID


class Task(Struct, frozen=True):
    """The delivery of an event to one target."""

    id: int
    execution_id: int
    status: str
    status_message: str
    run_count: int
    extra_attrs: TaskAttributes
    creation_time: datetime
    update_time: datetime
    start_time: datetime
    end_time: datetime

    @classmethod
    def of(cls, delivery: log_model.Delivery) -> Self:
        """Return a task as clients see it."""
        last = delivery.last
        return cls(
            id=delivery.id,
            execution_id=delivery.execution_id,
            status=delivery.status,
            status_message=last.outcome if last and delivery.status != "Success" else "",
            run_count=delivery.attempts,
            extra_attrs=TaskAttributes(delivery.target_id, delivery.address, delivery.webhook_id),
            creation_time=delivery.created_at,
            update_time=last.attempted_at if last else delivery.created_at,
            start_time=delivery.created_at,
            end_time=delivery.finished_at or NEVER,
        )


class WebhookJobParams(ListParams, frozen=True, kw_only=True):
    """Which jobs."""

    policy_id: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    status: Annotated[str, Meta(max_length=255, description="One or more, between commas.")] = ""


class WebhookJob(Struct, frozen=True):
    """An event that a policy took, as older clients read it."""

    id: int
    policy_id: int
    event_type: str
    notify_type: str
    status: str
    job_detail: str
    creation_time: datetime
    update_time: datetime

    @classmethod
    def of(cls, execution: log_model.Execution, payload: str) -> Self:
        """Return an execution as older clients read it."""
        return cls(
            id=execution.id,
            policy_id=execution.policy_id,
            event_type=execution.event_type,
            notify_type=execution.kind,
            status=execution.status,
            job_detail=payload,
            creation_time=execution.created_at,
            update_time=execution.finished_at or execution.created_at,
        )


class WebhookLastTrigger(Struct, frozen=True):
    """When a policy took an event of a type for the last time."""

    policy_name: str
    event_type: str
    enabled: bool
    creation_time: datetime
    last_trigger_time: datetime

    @classmethod
    def of(cls, last: log_model.LastTrigger) -> Self:
        """Return it as clients see it."""
        return cls(
            policy_name=last.policy_name,
            event_type=last.event_type,
            enabled=last.is_enabled,
            creation_time=last.created_at,
            last_trigger_time=last.triggered_at or NEVER,
        )


class WebhookAttempt(Struct, frozen=True):
    """One attempt of a delivery; without a status there was no answer, and `error` says why."""

    number: int
    time: datetime
    seconds: float
    status: int | None
    error: str
    answer: str

    @classmethod
    def of(cls, attempt: log_model.Attempt) -> Self:
        """Return an attempt as clients see it."""
        return cls(
            number=attempt.number,
            time=attempt.attempted_at,
            seconds=attempt.took_seconds,
            status=attempt.status,
            error=attempt.error,
            answer=attempt.answer,
        )


class WebhookDelivery(Struct, frozen=True):
    """What is owed to a target because of an event; `webhook_id` is in the header of that name."""

    id: int
    webhook_id: UUID
    execution_id: int
    target_id: int
    address: str
    event_type: str
    repository_name: str
    occurred_at: datetime
    status: str
    attempts: int
    due_at: datetime
    give_up_at: datetime
    creation_time: datetime
    end_time: datetime | None
    last_attempt: WebhookAttempt | None

    @classmethod
    def of(cls, delivery: log_model.Delivery) -> Self:
        """Return a delivery as clients see it."""
        return cls(
            id=delivery.id,
            webhook_id=delivery.webhook_id,
            execution_id=delivery.execution_id,
            target_id=delivery.target_id,
            address=delivery.address,
            event_type=delivery.event_type,
            repository_name=delivery.repository_name,
            occurred_at=delivery.occurred_at,
            status=delivery.status,
            attempts=delivery.attempts,
            due_at=delivery.due_at,
            give_up_at=delivery.give_up_at,
            creation_time=delivery.created_at,
            end_time=delivery.finished_at,
            last_attempt=WebhookAttempt.of(delivery.last) if delivery.last else None,
        )
