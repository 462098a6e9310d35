"""Which policies take an event, and what is written down for them."""

from app.db import SQL
from app.events import (
    ArtifactPulled,
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
FORGET = SQL("DELETE FROM webhook_policies")
ADDRESS = "http://example.org/"


BY_TYPE: list[tuple[tuple[str, ...], Event, bool]] = [
    (("PUSH_ARTIFACT",), pushed("library/app", "v1"), True),
    (("PUSH_ARTIFACT", "PULL_ARTIFACT"), ArtifactPulled("library/app", DIGEST), True),
    (("PULL_ARTIFACT",), pushed("library/app", "v1"), False),
    (("CREATE_TAG",), TagCreated("library/app", "v1", DIGEST), True),
    (("QUOTA_EXCEED",), QuotaExceeded("library", "library"), True),
    (("PUSH_ARTIFACT",), pushed("library2/app", "v1"), False),
    (("PUSH_ARTIFACT",), UserCreated("library"), False),
]
BY_FILTER: list[tuple[list[tuple[str, str, str]], Event, bool]] = [
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
]


async def is_taken(posting: Posting, policy: int, event: Event) -> bool:
    """Let it happen while there is no other policy."""
    target = await posting.target(policy, ADDRESS)
    taken = await posting.happen(event)
    await posting.run(FORGET)
    assert taken in ([], [target])
    return bool(taken)


async def test_a_policy_takes_the_events_of_its_project_that_it_names(posting: Posting) -> None:
    seen = [await is_taken(posting, await posting.policy(*types), event) for types, event, _ in BY_TYPE]
    assert seen == [expected for *_, expected in BY_TYPE]


async def test_a_policy_takes_what_all_its_filters_match(posting: Posting) -> None:
    seen = []
    for filters, event, _ in BY_FILTER:
        documents = tuple({"kind": kind, "decoration": how, "pattern": what} for kind, how, what in filters)
        policy = await posting.policy("PUSH_ARTIFACT", "CREATE_TAG", filters=documents)
        seen.append(await is_taken(posting, policy, event))
    assert seen == [expected for *_, expected in BY_FILTER]


async def test_each_target_of_each_policy_is_owed_an_event_once(posting: Posting) -> None:
    first, second = await posting.policy(name="first"), await posting.policy(name="second")
    targets = [await posting.target(policy, ADDRESS) for policy in (first, first, second)]
    r = posting.resources
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
