"""harborapi, the Python client of Harbor: a subscription to pushes, and what arrives."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from harborapi import HarborAsyncClient
from harborapi.exceptions import BadRequest, NotFound
from harborapi.models import PayloadFormatType, ProjectReq, WebhookJob, WebhookPolicy, WebhookTargetObject

from tests.e2e.clients import content
from tests.e2e.clients.registry import Registry
from tests.e2e.clients.test_harborapi import client_of, id_in
from tests.flows.consumers import Consumer, consuming
from tests.support.eventually import until

# Its own use of pydantic, which it has not caught up with.
pytestmark = pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince211")

AUTHORIZATION = "Bearer consumer-token-1"


@pytest.fixture
async def harbor(registry: Registry) -> AsyncIterator[HarborAsyncClient]:
    async with client_of(registry, registry.admin.name, registry.admin.password) as client:
        yield client


@pytest.fixture
async def project(harbor: HarborAsyncClient) -> str:
    name = f"webhooks-{uuid4().hex[:8]}"
    await harbor.create_project(ProjectReq(project_name=name))
    return name


def policy_for(address: str) -> WebhookPolicy:
    target = WebhookTargetObject(
        type="http",
        address=address,
        auth_header=AUTHORIZATION,
        skip_cert_verify=False,
        payload_format=PayloadFormatType(root="Default"),
    )
    return WebhookPolicy(name="ci", enabled=True, event_types=["PUSH_ARTIFACT"], targets=[target])


async def test_a_push_arrives_at_the_target_of_a_policy(
    harbor: HarborAsyncClient, project: str, registry: Registry
) -> None:
    consumer = Consumer("ci")
    with consuming(consumer) as crowd:
        wanted = policy_for(crowd.url_of(consumer))
        policy_id = id_in(await harbor.create_webhook_policy(project, wanted))
        pushed = registry.wire.push(f"{project}/app", content.image(), "v1")

        async def jobs() -> list[WebhookJob]:
            found: list[WebhookJob] = await harbor.get_webhook_jobs(project, policy_id)
            return found

        (job,) = await until(jobs, lambda found: [job.status for job in found] == ["Success"])
    assert (job.policy_id, job.event_type, job.notify_type) == (policy_id, "PUSH_ARTIFACT", "http")
    assert [(seen.repository, seen.tag) for seen in consumer.seen] == [(f"{project}/app", "v1")]
    assert consumer.authorization == {AUTHORIZATION}
    assert pushed.digest in (job.job_detail or "")


async def test_policies_are_listed_changed_and_deleted(harbor: HarborAsyncClient, project: str) -> None:
    policy_id = id_in(await harbor.create_webhook_policy(project, policy_for("https://ci.example.org/hook")))
    (listed,) = await harbor.get_webhook_policies(project)
    assert listed.targets is not None
    assert (listed.name, listed.targets[0].auth_header) == ("ci", AUTHORIZATION)
    await harbor.update_webhook_policy(project, policy_id, listed.model_copy(update={"enabled": False}))
    shown = await harbor.get_webhook_policy(project, policy_id)
    assert (shown.enabled, shown.creator, shown.event_types) == (False, "admin", ["PUSH_ARTIFACT"])
    (trigger,) = await harbor.get_webhook_policy_last_trigger(project)
    assert (trigger.policy_name, trigger.enabled) == ("ci", False)
    await harbor.delete_webhook_policy(project, policy_id)
    with pytest.raises(NotFound):
        await harbor.get_webhook_policy(project, policy_id)


async def test_what_can_be_subscribed_to_is_listed(harbor: HarborAsyncClient, project: str) -> None:
    supported = await harbor.get_webhook_supported_events(project)
    assert supported.event_type is not None
    assert {"PUSH_ARTIFACT", "DELETE_ARTIFACT"} <= {kind.root for kind in supported.event_type}
    wrong = policy_for("https://ci.example.org/hook").model_copy(update={"event_types": ["PUSH_CHART"]})
    with pytest.raises(BadRequest):
        await harbor.create_webhook_policy(project, wrong)
