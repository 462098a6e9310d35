"""Policies of webhooks as JSON (Harbor's WebhookPolicy, WebhookTargetObject ...)."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from msgspec import Meta, Struct

from app.webhooks.model import EventFilter, Policy, Target, TargetSecrets

_KEPT = "What is not said stays as it is."


class WebhookFilter(Struct, frozen=True):
    """What else an event has to match: the path of its repository in the project, or one of its tags."""

    kind: Literal["repository", "tag"]
    pattern: Annotated[str, Meta(min_length=1, max_length=255, description="As in rules: `team/**`, `v*`.")]
    decoration: Literal["matches", "excludes"] = "matches"


class WebhookTargetReq(Struct, frozen=True, rename={"kind": "type"}):
    """Whom to post to: `http`, `slack` or `teams`; one that is there already is known by type and address."""

    kind: Annotated[str, Meta(max_length=16)]
    address: Annotated[str, Meta(max_length=2_048)]
    auth_header: Annotated[str, Meta(max_length=4_096)] = ""
    skip_cert_verify: bool = False
    payload_format: Annotated[str, Meta(max_length=32)] = ""
    headers: Annotated[dict[str, str], Meta(max_length=20, description=_KEPT)] | None = None
    ca_certificate: Annotated[str, Meta(max_length=65_536, description=f"PEM. {_KEPT}")] | None = None
    timeout_seconds: Annotated[int, Meta(ge=1, le=30, description=_KEPT)] | None = None
    is_ordered: Annotated[bool, Meta(description=f"One repository's events in order. {_KEPT}")] | None = None

    def timeout(self) -> timedelta | None:
        """Return how long a post may take, or None where nothing is said of it."""
        return None if self.timeout_seconds is None else timedelta(seconds=self.timeout_seconds)


class WebhookPolicyReq(Struct, frozen=True):
    """A policy to make, or what one is to become."""

    name: Annotated[str, Meta(max_length=255)]
    targets: Annotated[tuple[WebhookTargetReq, ...], Meta(max_length=100)] = ()
    event_types: Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=100)] = ()
    description: Annotated[str, Meta(max_length=1_024)] = ""
    enabled: bool = False
    filters: Annotated[tuple[WebhookFilter, ...], Meta(max_length=20, description=_KEPT)] | None = None

    def event_filters(self) -> tuple[EventFilter, ...] | None:
        """Return the filters, or None where nothing is said of them."""
        if self.filters is None:
            return None
        return tuple(EventFilter(given.kind, given.decoration, given.pattern) for given in self.filters)


class WebhookTargetObject(Struct, frozen=True, rename={"kind": "type"}):
    """Whom a policy posts to; `auth_header` and `headers` have values for those who may change the policy."""

    id: int
    kind: str
    address: str
    auth_header: str
    skip_cert_verify: bool
    payload_format: str
    headers: dict[str, str]
    ca_certificate: str
    timeout_seconds: int
    is_ordered: bool

    @classmethod
    def of(cls, target: Target, secrets: TargetSecrets) -> Self:
        """Return a target as clients see it, with what they may see of its secrets."""
        return cls(
            id=target.id,
            kind=target.kind,
            address=target.address,
            auth_header=secrets.auth_header,
            skip_cert_verify=not target.verifies_certificate,
            # Harbor knows no format for Slack, and its clients compare with what they sent.
            payload_format=target.payload_format if target.kind == "http" else "",
            headers=secrets.headers,
            ca_certificate=target.ca_certificate,
            timeout_seconds=round(target.timeout.total_seconds()),
            is_ordered=target.is_ordered,
        )


class WebhookPolicy(Struct, frozen=True):
    """Which events of a project are posted, and to whom."""

    id: int
    name: str
    description: str
    project_id: int
    targets: list[WebhookTargetObject]
    event_types: tuple[str, ...]
    filters: list[WebhookFilter]
    creator: str
    creation_time: datetime
    update_time: datetime
    enabled: bool

    @classmethod
    def of(cls, policy: Policy, secrets: dict[int, TargetSecrets]) -> Self:
        """Return a policy as clients see it, with those secrets, by target, that they may see."""
        hidden = TargetSecrets()
        return cls(
            id=policy.id,
            name=policy.name,
            description=policy.description,
            project_id=policy.project_id,
            targets=[
                WebhookTargetObject.of(target, secrets.get(target.id, hidden)) for target in policy.targets
            ],
            event_types=policy.event_types,
            filters=[WebhookFilter(own.kind, own.pattern, own.decoration) for own in policy.filters],
            creator=policy.creator,
            creation_time=policy.created_at,
            update_time=policy.updated_at,
            enabled=policy.is_enabled,
        )


class PayloadFormats(Struct, frozen=True):
    """What can be posted to a type of target."""

    notify_type: str
    formats: tuple[str, ...]


class SupportedWebhookEventTypes(Struct, frozen=True):
    """What policies can name."""

    event_type: list[str]
    notify_type: list[str]
    payload_formats: list[PayloadFormats]
