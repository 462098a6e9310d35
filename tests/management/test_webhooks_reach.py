"""Webhook policies that are to post where nobody may, or where nobody may any more."""

from app.db import SQL
from tests.management.client import Caller
from tests.management.conftest import Project
from tests.management.webhooks import path_of, policy, target
from tests.support.registry import Registry

MOVE_TARGETS = SQL("""
    UPDATE webhook_targets SET address = %(address)s
    WHERE policy_id IN (SELECT id FROM webhook_policies WHERE project_id = %(project_id)s)
""")


async def test_policy_is_not_changed_to_post_where_nobody_may(admin: Caller, project: Project) -> None:
    path = (await admin.post(path_of(project), policy())).headers["Location"]
    wanted = policy(targets=[target(), target(address="http://169.254.169.254/latest/meta-data")])
    refused = await admin.put(path, wanted)
    assert refused.status == 400
    assert refused.message.startswith("address: 169.254.169.254 is in no network that may be called;")
    assert len((await admin.get(path)).json["targets"]) == 1


async def test_policy_that_posts_where_nobody_may_any_more_can_be_disabled(
    admin: Caller, project: Project, shared: Registry
) -> None:
    made = (await admin.post(path_of(project), policy())).headers["Location"]
    async with shared.resources.database.transaction() as tx:
        await tx.run(MOVE_TARGETS, project_id=project.id, address="http://169.254.169.254/")
    stored = target(address="http://169.254.169.254/")
    assert (await admin.put(made, policy(targets=[stored], enabled=False))).status == 200
    shown = (await admin.get(made)).json
    assert (shown["enabled"], [t["address"] for t in shown["targets"]]) == (False, [stored["address"]])
    others = policy(targets=[stored, target(address="http://169.254.169.254/another")])
    assert (await admin.put(made, others)).status == 400
    assert (await admin.put(made, policy(targets=[target()]))).status == 200
    assert (await admin.put(made, policy(targets=[stored]))).status == 400
