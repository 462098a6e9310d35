"""Which policies take an event, and what is written down for them."""

import pytest

from app.db import SQL
from app.events import (
    ArtifactPulled,
    ArtifactPushed,
    Cause,
    Event,
    QuotaExceeded,
    TagCreated,
    UserCreated,
    outbox,
)
from app.webhooks.fan_out import fan_out
from tests.support.consumer import Consumer
from tests.webhooks.posting import DIGEST, Posting, pushed

TURN_OFF = SQL("INSERT INTO configurations (name, value) VALUES ('notification_enable', 'false')")
EXECUTED = SQL("SELECT count(*) FROM webhook_executions")
ADDRESS = "http://example.org/"


@pytest.mark.parametrize(
    ("types", "event", "is_taken"),
    [
        (("PUSH_ARTIFACT",), pushed("library/app", "v1"), True),
        (("PUSH_ARTIFACT", "PULL_ARTIFACT"), ArtifactPulled("library/app", DIGEST), True),
        (("PULL_ARTIFACT",), pushed("library/app", "v1"), False),
        (("CREATE_TAG",), TagCreated("library/app", "v1", DIGEST), True),
        (("QUOTA_EXCEED",), QuotaExceeded("library", "library"), True),
        (("PUSH_ARTIFACT",), pushed("library2/app", "v1"), False),
        (("PUSH_ARTIFACT",), UserCreated("library"), False),
    ],
)
async def test_a_policy_takes_the_events_of_its_project_that_it_names(
    posting: Posting, types: tuple[str, ...], event: Event, is_taken: bool
) -> None:
    target = await posting.target(await posting.policy(*types), ADDRESS)
    assert await posting.happen(event) == ([target] if is_taken else [])


@pytest.mark.parametrize(
    ("filters", "event", "is_taken"),
    [
        ([("repository", "matches", "team/**")], pushed("library/team/app", "v1"), True),
        ([("repository", "matches", "team/**")], pushed("library/app", "v1"), False),
        ([("repository", "excludes", "team/**")], pushed("library/team/app", "v1"), False),
        ([("tag", "matches", "v*")], pushed("library/app", "v1"), True),
        ([("tag", "matches", "v*")], pushed("library/app", "latest", "v1"), True),
        ([("tag", "matches", "v*")], pushed("library/app", "latest"), False),
        ([("tag", "matches", "v*")], pushed("library/app"), True),
        ([("tag", "excludes", "v*")], TagCreated("library/app", "v1", DIGEST), False),
        ([("tag", "matches", "v*"), ("repository", "matches", "app")], pushed("library/app", "v1"), True),
        ([("tag", "matches", "v*"), ("repository", "matches", "web")], pushed("library/app", "v1"), False),
    ],
)
async def test_a_policy_takes_what_all_its_filters_match(
    posting: Posting, filters: list[tuple[str, str, str]], event: ArtifactPushed, is_taken: bool
) -> None:
    documents = tuple({"kind": kind, "decoration": how, "pattern": what} for kind, how, what in filters)
    policy = await posting.policy("PUSH_ARTIFACT", "CREATE_TAG", filters=documents)
    target = await posting.target(policy, ADDRESS)
    assert await posting.happen(event) == ([target] if is_taken else [])


async def test_each_target_of_each_policy_is_owed_an_event_once(posting: Posting) -> None:
    first, second = await posting.policy(name="first"), await posting.policy(name="second")
    targets = [await posting.target(policy, ADDRESS) for policy in (first, first, second)]
    r = posting.registry.resources
    async with r.database.transaction() as tx:
        await outbox.record(tx, Cause(username="admin"), pushed("library/app", "v1"))
    async with r.database.transaction() as tx:
        events = await outbox.claim(tx, 10)
        assert await fan_out(tx, r, events) == targets
        assert await fan_out(tx, r, events) == []
    assert [await posting.statuses(target) for target in targets] == [["pending"]] * 3
    assert await posting.value(EXECUTED) == 2


async def test_nothing_is_posted_while_that_is_turned_off(posting: Posting, consumer: Consumer) -> None:
    await posting.target(await posting.policy(), consumer.url)
    await posting.run(TURN_OFF)
    assert await posting.happen(pushed()) == []
    assert await posting.value(EXECUTED) == 0
