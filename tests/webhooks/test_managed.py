"""What is asked for by the API is what consumers see: headers, secrets, tests, pauses, replays."""

from typing import Any

import pytest

from tests.management.client import Caller
from tests.management.webhooks import policy, target
from tests.support.consumer import Consumer
from tests.support.registry import Registry
from tests.webhooks.posting import Posting, pushed

POLICIES = "/projects/library/webhook/policies"


@pytest.fixture
def admin(registry: Registry) -> Caller:
    return Caller(registry, "admin", registry.resources.settings.admin_password)


async def made(admin: Caller, consumer: Consumer, **fields: Any) -> tuple[str, int]:
    """Make a policy with one target and return its path and the target."""
    answer = await admin.post(POLICIES, policy(targets=[target(address=consumer.url, **fields)]))
    path = f"{POLICIES}/{answer.new_id}"
    return path, (await admin.get(path)).json["targets"][0]["id"]


async def test_test_arrives_with_the_headers_that_were_asked_for_and_is_signed(
    admin: Caller, posting: Posting, consumer: Consumer
) -> None:
    fields = {"auth_header": "Bearer abc", "headers": {"X-Build": "7"}, "payload_format": "CloudEvents"}
    path, target_id = await made(admin, consumer, **fields)
    secret = (await admin.post(f"{path}/targets/{target_id}/secret")).json["secret"]
    execution = (await admin.post(f"{path}/test")).json["execution_id"]
    await posting.deliver(target_id)
    (received,) = consumer.received
    assert (received.headers["authorization"], received.headers["x-build"]) == ("Bearer abc", "7")
    assert received.is_signed_with(secret)
    assert (received.json["type"], received.json["operator"]) == ("roadstead.webhook.test", "admin")
    (shown,) = (await admin.get(f"{path}/executions")).json
    (task,) = (await admin.get(f"{path}/executions/{execution}/tasks")).json
    assert (shown["status"], task["status"], task["run_count"]) == ("Success", "Success", 1)
    assert task["extra_attrs"]["webhook_id"] == received.id
    log = (await admin.get(f"{path}/executions/{execution}/tasks/{task['id']}/log")).json
    assert "attempt=1 status=200" in log


async def test_two_secrets_sign_while_one_takes_the_place_of_the_other(
    admin: Caller, posting: Posting, consumer: Consumer
) -> None:
    path, target_id = await made(admin, consumer)
    rotate = f"{path}/targets/{target_id}/secret"
    first, second = [(await admin.post(rotate)).json["secret"] for _ in range(2)]
    await posting.happen(pushed())
    await posting.deliver(target_id)
    assert [consumer.received[0].is_signed_with(secret) for secret in (first, second)] == [True, True]
    third = (await admin.post(rotate, overlap_seconds=0)).json["secret"]
    await posting.happen(pushed())
    await posting.deliver(target_id)
    assert [consumer.received[1].is_signed_with(secret) for secret in (first, second, third)] == [
        False,
        False,
        True,
    ]


async def test_paused_target_is_sent_to_once_it_is_resumed(
    admin: Caller, posting: Posting, consumer: Consumer
) -> None:
    path, target_id = await made(admin, consumer)
    await admin.post(f"{path}/targets/{target_id}/pause")
    await posting.happen(pushed(), pushed())
    await posting.deliver(target_id)
    assert consumer.received == []
    (state,) = (await admin.get(f"{path}/targets")).json
    assert (state["state"], state["owed"]) == ("paused", 2)
    await admin.post(f"{path}/targets/{target_id}/resume")
    await posting.deliver(target_id)
    assert len(consumer.received) == 2


async def test_replay_arrives_under_the_id_that_the_consumer_knows(
    admin: Caller, posting: Posting, consumer: Consumer
) -> None:
    path, target_id = await made(admin, consumer)
    await posting.happen(pushed(), pushed())
    await posting.deliver(target_id)
    first, second = await consumer.ids()
    deliveries = (await admin.get(f"{path}/deliveries", sort="id")).json
    assert [each["webhook_id"] for each in deliveries] == [first, second]
    await admin.post(f"{path}/deliveries/{deliveries[0]['id']}/replay")
    await posting.deliver(target_id)
    assert await consumer.ids() == [first, second, first]
    span = {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "status": "Success"}
    assert (await admin.post(f"{path}/replay", span)).json == {"count": 2}
    await posting.deliver(target_id)
    assert sorted(await consumer.ids()) == sorted([first] * 3 + [second] * 2)
    (again, _) = (await admin.get(f"{path}/deliveries", sort="id")).json
    assert (again["status"], again["attempts"]) == ("Success", 3)


async def test_what_is_owed_to_a_target_stays_with_it_when_the_policy_changes(
    admin: Caller, posting: Posting, consumer: Consumer, other_consumer: Consumer
) -> None:
    targets = [target(address=each.url) for each in (consumer, other_consumer)]
    path = f"{POLICIES}/{(await admin.post(POLICIES, policy(targets=targets))).new_id}"
    kept, removed = [each["id"] for each in (await admin.get(path)).json["targets"]]
    await posting.happen(pushed())
    await admin.put(
        path, policy(targets=[targets[0] | {"auth_header": "new"}], event_types=["PULL_ARTIFACT"])
    )
    for each in (kept, removed):
        await posting.deliver(each)
    assert [each.headers["authorization"] for each in consumer.received] == ["new"]
    assert other_consumer.received == []
