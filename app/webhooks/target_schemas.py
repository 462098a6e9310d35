"""How targets of webhooks fare, their secrets and replays as JSON."""

from datetime import datetime
from typing import Annotated, Literal, Self

from msgspec import Meta, Struct

from app.webhooks import log_model


class WebhookTargetState(Struct, frozen=True, rename={"kind": "type"}):
    """How a target fares: whether it is sent to, and what is owed to it."""

    id: int
    kind: str
    address: str
    state: Literal["closed", "open", "half-open", "paused"]
    failures: int
    failing_since: datetime | None
    open_until: datetime | None
    paused_at: datetime | None
    owed: int
    dead: int

    @classmethod
    def of(cls, state: log_model.TargetState) -> Self:
        """Return it as clients see it."""
        return cls(
            id=state.id,
            kind=state.kind,
            address=state.address,
            state=state.condition,
            failures=state.failures,
            failing_since=state.failing_since,
            open_until=state.open_until,
            paused_at=state.paused_at,
            owed=state.owed,
            dead=state.dead,
        )


class WebhookSecret(Struct, frozen=True):
    """A new secret to check signatures with; it is not shown again."""

    secret: str
    fingerprint: str


class WebhookSecretInfo(Struct, frozen=True):
    """A secret that signs, by the first bytes of its SHA-256; without an end it is the one in force."""

    fingerprint: str
    expires_at: datetime | None


class RotateParams(Struct, frozen=True):
    """How a secret takes the place of another one."""

    overlap_seconds: Annotated[
        int, Meta(ge=0, le=30 * 86_400, description="How long the one before signs, too.")
    ] = 86_400


class WebhookReplayReq(Struct, frozen=True, rename={"begin": "from", "end": "to"}):
    """Which deliveries of a policy to send once more: of events that happened from one moment to another."""

    begin: Annotated[datetime, Meta(tz=True)]
    end: Annotated[datetime, Meta(tz=True)]
    status: Literal["Success", "Error", "Stopped", "any"] = "Error"
    target_id: Annotated[int, Meta(ge=0, le=2**63 - 1, description="0: of every target.")] = 0


class WebhookReplayed(Struct, frozen=True):
    """How many deliveries are sent once more."""

    count: int


class WebhookTested(Struct, frozen=True):
    """What became of a test is in the tasks of this execution."""

    execution_id: int
