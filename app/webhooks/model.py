"""What a policy of webhooks says, to whom it posts, and what has become of each delivery."""

from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from app.harbor.doublestar import matches
from app.harbor.errors import NotFound

TargetKind: TypeAlias = Literal["http", "slack", "teams"]
PayloadFormat: TypeAlias = Literal["Default", "CloudEvents", "CloudEventsBinary", "Distribution"]
DeliveryStatus: TypeAlias = Literal["pending", "success", "dead", "stopped"]

FORMATS: Final[dict[TargetKind, tuple[PayloadFormat, ...]]] = {
    "http": ("Default", "CloudEvents", "CloudEventsBinary", "Distribution"),
    "slack": ("Default",),
    "teams": ("Default",),
}
"""What can be posted to a kind of target; messages for people have one form each."""

MAX_POLICIES: Final = 100
"""Of one project, more or less: each of them is looked at for every event."""

MAX_TARGETS: Final = 10
"""Of one policy."""


class EventFilter(Struct, frozen=True):
    """What an event has to match: a repository by its path in the project, or one of its tags."""

    kind: Literal["repository", "tag"]
    decoration: Literal["matches", "excludes"]
    pattern: str

    def takes(self, path: str, tags: tuple[str, ...]) -> bool:
        """Whether an event on the repository, with these tags, matches; an event without them does."""
        values = (path,) if self.kind == "repository" else tags
        if not any(values):
            return True
        return any(matches(self.pattern, value) for value in values) == (self.decoration == "matches")


class SigningSecret(Struct, frozen=True):
    """A secret that deliveries are signed with, until a moment where another has taken its place.

    The first one of a target is seen by nobody: whoever wants to verify asks for another.
    """

    secret: str
    expires_at: datetime | None = None
    is_seen: bool = False


class TargetSecrets(Struct, frozen=True):
    """What must not be seen of a target: it lies in the vault as one document."""

    auth_header: str = ""
    headers: dict[str, str] = {}
    signing: tuple[SigningSecret, ...] = ()


class Target(Struct, frozen=True):
    """Whom a policy posts to, and how."""

    id: int
    kind: TargetKind
    address: str
    payload_format: PayloadFormat
    verifies_certificate: bool
    ca_certificate: str
    timeout: timedelta
    is_ordered: bool
    secret_id: int | None


class Policy(Struct, frozen=True):
    """Which events of a project are posted, and to whom."""

    id: int
    project_id: int
    name: str
    description: str
    event_types: tuple[str, ...]
    filters: tuple[EventFilter, ...]
    is_enabled: bool
    creator: str
    created_at: datetime
    updated_at: datetime
    targets: tuple[Target, ...]

    def target(self, target_id: int) -> Target:
        """Return one of its targets; raise NotFound."""
        for target in self.targets:
            if target.id == target_id:
                return target
        raise NotFound("the policy has no such target")


class Terms(Struct, frozen=True):
    """What can be changed about a policy, beside its targets."""

    name: str
    description: str
    event_types: tuple[str, ...]
    filters: tuple[EventFilter, ...]
    is_enabled: bool
