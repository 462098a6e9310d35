"""The settings of worker processes."""

from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct


class WorkerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Worker processes."""

    events_concurrency: Annotated[
        int, Meta(ge=1, le=1_000, description="How many jobs of the queue `events` a process runs at once.")
    ] = 10
    webhooks_concurrency: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="How many deliveries of webhooks a process has under way at once, more or less: the "
            "more there are, the fewer a target may have, and each may have one in any case.",
        ),
    ] = 500
    scans_concurrency: Annotated[
        int, Meta(ge=1, le=1_000, description="How many jobs of the queue `scans` a process runs at once.")
    ] = 4
    replication_concurrency: Annotated[
        int,
        Meta(ge=1, le=1_000, description="How many jobs of the queue `replication` a process runs at once."),
    ] = 8
    maintenance_concurrency: Annotated[
        int,
        Meta(ge=1, le=1_000, description="How many jobs of the queue `maintenance` a process runs at once."),
    ] = 4
    heartbeat: Annotated[
        timedelta,
        Meta(
            description="How often a process shows that it lives. What one was running that missed three "
            "times is given to others."
        ),
    ] = timedelta(seconds=5)
    events_tries: Annotated[
        int,
        Meta(
            ge=1,
            description="A job of the queue `events` that failed so often is set aside until an operator has "
            "it tried again. The pause between tries doubles up to an hour: 30 take most of a day.",
        ),
    ] = 30
    scans_tries: Annotated[int, Meta(ge=1, description="The same for the queue `scans`.")] = 30
    replication_tries: Annotated[int, Meta(ge=1, description="The same for the queue `replication`.")] = 30
    maintenance_tries: Annotated[int, Meta(ge=1, description="The same for the queue `maintenance`.")] = 30
    run_retention: Annotated[
        timedelta,
        Meta(
            description="How long it can be seen which scheduled jobs ran, which jobs failed, and their logs."
        ),
    ] = timedelta(days=30)

    def __post_init__(self) -> None:
        for name in ("heartbeat", "run_retention"):
            if getattr(self, name) <= timedelta(0):
                raise ValueError(f"{name}: it has to be more than 0 seconds")

    def concurrency(self, queue: str) -> int:
        """Return how many jobs of the queue a process runs at once."""
        return int(getattr(self, f"{queue}_concurrency"))

    def tries(self, queue: str) -> int:
        """Return after how many failures a job of the queue is set aside."""
        return int(getattr(self, f"{queue}_tries"))
