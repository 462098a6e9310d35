"""From the event to the POST: what is owed is delivered, signed, and tried again until it is taken."""

from tests.support.consumer import Consumer
from tests.webhooks.posting import DIGEST, SECRET, Posting, pushed


async def test_an_event_reaches_the_consumer_signed_and_in_harbors_format(
    posting: Posting, consumer: Consumer
) -> None:
    target = await posting.target(await posting.policy(), consumer.url)
    assert await posting.happen(pushed("library/app", "v1")) == [target]
    await posting.deliver(target)
    (received,) = consumer.received
    assert received.is_signed_with(SECRET)
    assert received.headers["content-type"] == "application/json"
    document = received.json
    assert document.pop("occur_at") > 1_700_000_000
    assert document == {
        "type": "PUSH_ARTIFACT",
        "operator": "admin",
        "event_data": {
            "resources": [
                {"digest": DIGEST, "tag": "v1", "resource_url": "registry.example.org/library/app:v1"}
            ],
            "repository": {
                "name": "app",
                "namespace": "library",
                "repo_full_name": "library/app",
                "repo_type": "private",
            },
        },
    }
    assert await posting.statuses(target) == ["success"]
    assert await posting.attempts(target) == [{"number": 1, "status": 200, "error": "", "answer": ""}]
