"""What is posted in each format."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.events import (
    ArtifactDeleted,
    ArtifactPulled,
    ArtifactPushed,
    Event,
    QuotaExceeded,
    QuotaWarned,
    RepositoryDeleted,
    TagMoved,
)
from app.webhooks.event_data import event_data
from app.webhooks.event_model import Facts
from app.webhooks.event_types import TYPES, event_type_of
from app.webhooks.formats import Message, Notice, render
from app.webhooks.model import FORMATS, PayloadFormat, TargetKind

DIGEST = "sha256:" + "5" * 64
INDEX = "application/vnd.oci.image.index.v1+json"
FACTS = Facts(is_public=True, created_at=datetime(2023, 2, 22, 8, 6, 5, tzinfo=UTC))
PUSHED = ArtifactPushed("library/team/busybox", DIGEST, INDEX, 527, tags=("latest",))
PUSHED_DATA = {
    "resources": [
        {"digest": DIGEST, "tag": "latest", "resource_url": "harbor.dev/library/team/busybox:latest"}
    ],
    "repository": {
        "name": "team/busybox",
        "namespace": "library",
        "repo_full_name": "library/team/busybox",
        "repo_type": "public",
        "date_created": 1677053165,
    },
}
ALL = [(kind, payload_format) for kind, formats in FORMATS.items() for payload_format in formats]


def notice(event: Event = PUSHED, facts: Facts = FACTS, operator: str = "admin") -> Notice:
    event_type = event_type_of(event)
    assert event_type
    return Notice(
        event_id=UUID(int=7),
        event_type=event_type,
        occurred_at=datetime(2023, 3, 6, 6, 8, 43, 120000, tzinfo=UTC),
        operator=operator,
        request_id="2eedfab8",
        project_id=1,
        policy_id=3,
        data=event_data(event, facts, "harbor.dev"),
    )


def rendered(payload_format: PayloadFormat, of: Notice, kind: TargetKind = "http") -> tuple[Message, Any]:
    message = render(kind, payload_format, of)
    return message, msgspec.json.decode(message.body)


def test_default_is_harbors() -> None:
    message, document = rendered("Default", notice())
    assert message.headers == {"Content-Type": "application/json"}
    assert document == {
        "type": "PUSH_ARTIFACT",
        "occur_at": 1678082923,
        "operator": "admin",
        "event_data": PUSHED_DATA,
    }


def test_cloud_events_are_structured_as_harbors() -> None:
    message, document = rendered("CloudEvents", notice())
    assert message.headers["Content-Type"].startswith("application/cloudevents+json")
    assert document == {
        "specversion": "1.0",
        "id": str(UUID(int=7)),
        "source": "/projects/1/webhook/policies/3",
        "type": "harbor.artifact.pushed",
        "time": "2023-03-06T06:08:43.120000Z",
        "operator": "admin",
        "requestid": "2eedfab8",
        "datacontenttype": "application/json",
        "data": PUSHED_DATA,
    }


def test_binary_cloud_events_have_their_attributes_as_headers() -> None:
    message, document = rendered("CloudEventsBinary", notice(operator='Jö 100%"'))
    assert document == PUSHED_DATA
    assert message.headers == {
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": str(UUID(int=7)),
        "ce-source": "/projects/1/webhook/policies/3",
        "ce-type": "harbor.artifact.pushed",
        "ce-time": "2023-03-06T06:08:43.120000Z",
        "ce-operator": "J%C3%B6%20100%25%22",
        "ce-requestid": "2eedfab8",
    }


def test_the_envelope_of_distribution_has_one_event() -> None:
    message, document = rendered("Distribution", notice())
    assert message.headers == {"Content-Type": "application/vnd.docker.distribution.events.v1+json"}
    assert document == {
        "events": [
            {
                "id": str(UUID(int=7)),
                "timestamp": "2023-03-06T06:08:43.120000Z",
                "action": "push",
                "target": {
                    "mediaType": INDEX,
                    "size": 527,
                    "length": 527,
                    "repository": "library/team/busybox",
                    "digest": DIGEST,
                    "tag": "latest",
                },
                "request": {"id": "2eedfab8"},
                "actor": {"name": "admin"},
                "source": {},
            }
        ]
    }


def test_slack_has_harbors_blocks_with_nothing_that_steers_it() -> None:
    _, document = rendered("Default", notice(operator="<!channel> & co"), "slack")
    texts = [block["text"]["text"] for block in document["blocks"]]
    assert texts[1:4] == [
        "*event_type:* PUSH_ARTIFACT",
        "*occur_at:* <!date^1678082923^{date} at {time}|2023-03-06 06:08 UTC>",
        "*operator:* &lt;!channel&gt; &amp; co",
    ]
    assert '"repo_full_name": "library/team/busybox"' in texts[4]
    assert document["text"] == "PUSH_ARTIFACT: harbor.dev/library/team/busybox:latest"


def test_no_block_of_slack_is_longer_than_it_takes() -> None:
    tags = tuple(f"{'t' * 120}{number}" for number in range(100))
    event = ArtifactPushed("library/app", DIGEST, INDEX, 1, tags=tags)
    _, document = rendered("Default", notice(event), "slack")
    assert max(len(block["text"]["text"]) for block in document["blocks"]) < 3_000
    assert len(document["text"]) < 3_000


def test_teams_has_a_card() -> None:
    _, document = rendered("Default", notice(), "teams")
    (attachment,) = document["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    title, facts = attachment["content"]["body"]
    assert title["text"] == "PUSH_ARTIFACT: harbor.dev/library/team/busybox:latest"
    assert {fact["title"]: fact["value"] for fact in facts["facts"]} == {
        "Event": "PUSH_ARTIFACT",
        "Time": "2023-03-06 06:08:43 UTC",
        "Operator": "admin",
        "Repository": "library/team/busybox",
        "Artifact": "harbor.dev/library/team/busybox:latest",
    }


EVENTS = [
    PUSHED,
    ArtifactPulled("library/app", DIGEST, tag=DIGEST),
    ArtifactDeleted("library/app", DIGEST, tags=("a", "b")),
    TagMoved("library/app", "v1", DIGEST, "sha256:" + "4" * 64),
    RepositoryDeleted("library/app"),
    QuotaExceeded("library", "library", used_bytes=1 << 20, hard_bytes=2 << 20, needed_bytes=3 << 20),
    QuotaWarned("library", "library", used_bytes=1 << 20, hard_bytes=2 << 20),
]


@pytest.mark.parametrize(("kind", "payload_format"), ALL)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_format_says_the_same_at_every_attempt(
    kind: TargetKind, payload_format: PayloadFormat, event: Event
) -> None:
    first = render(kind, payload_format, notice(event, Facts()))
    assert first == render(kind, payload_format, notice(event, Facts()))
    assert all(value.isascii() and value.isprintable() for value in first.headers.values())
    msgspec.json.decode(first.body)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (
            ArtifactPulled("library/app", DIGEST, tag=DIGEST),
            {
                "resources": [
                    {"digest": DIGEST, "tag": DIGEST, "resource_url": f"harbor.dev/library/app@{DIGEST}"}
                ]
            },
        ),
        (
            ArtifactDeleted("library/app", DIGEST, tags=("a", "b")),
            {
                "resources": [
                    {"digest": DIGEST, "tag": tag, "resource_url": f"harbor.dev/library/app:{tag}"}
                    for tag in ("a", "b")
                ]
            },
        ),
        (RepositoryDeleted("library/app"), {}),
    ],
)
def test_only_the_blocks_of_an_event_are_there(event: Event, data: dict[str, Any]) -> None:
    _, document = rendered("Default", notice(event, Facts()))
    repository = {
        "name": "app",
        "namespace": "library",
        "repo_full_name": "library/app",
        "repo_type": "private",
    }
    assert document["event_data"] == data | {"repository": repository}


def test_a_quota_is_told_of_in_words() -> None:
    event = QuotaExceeded("library", "library", used_bytes=1 << 20, hard_bytes=2 << 20, needed_bytes=3 << 20)
    _, document = rendered("Default", notice(event))
    assert document["type"] == "QUOTA_EXCEED"
    assert document["event_data"] == {
        "custom_attributes": {"Details": "library: needs 3.0 MiB more, uses 1.0 MiB of 2.0 MiB"}
    }


def test_what_a_pull_does_not_say_is_known_of_the_manifest() -> None:
    facts = Facts(is_public=False, media_type=INDEX, size_bytes=99)
    _, document = rendered("Distribution", notice(ArtifactPulled("library/app", DIGEST), facts))
    target = document["events"][0]["target"]
    assert (target["mediaType"], target["size"]) == (INDEX, 99)
    assert "tag" not in target


def test_every_type_has_a_name_in_cloud_events() -> None:
    assert len({each.cloud_type for each in TYPES}) == len(TYPES)
