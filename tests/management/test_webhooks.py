"""Webhook policies in Harbor's API: what they say, what is refused, who sees what of them."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from app.access import Role
from app.db import SQL
from tests.management.client import Caller, unique
from tests.management.conftest import MakeUser, Project, make_project
from tests.management.robots import caller_of, of_project
from tests.management.webhooks import CERTIFICATE, path_of, policy, target
from tests.support.registry import Registry

EVENTS = SQL("""
    SELECT type FROM outbox
    WHERE payload->>'project_name' = %(project)s AND type LIKE 'notification-policy%%' ORDER BY id
""")
SECRETS_OF = SQL("SELECT token FROM secrets")
FORGET_KEYS = SQL("""
    UPDATE secrets SET key_id = 'gone' WHERE id IN (
        SELECT t.secret_id FROM webhook_targets t JOIN webhook_policies p ON p.id = t.policy_id
        WHERE p.project_id = %(project_id)s
    )
""")
COUNT_SECRETS = SQL("SELECT count(*) FROM secrets")


async def test_policy_is_made_shown_changed_and_removed(
    admin: Caller, project: Project, shared: Registry
) -> None:
    wanted = policy(
        targets=[target(auth_header="Basic c2VjcmV0", payload_format="CloudEvents", skip_cert_verify=True)],
        description="to the build server",
    )
    made = await admin.post(path_of(project), wanted)
    path = f"{path_of(project)}/{made.new_id}"
    assert made.headers["Location"] == f"/api/v2.0{path}"
    shown = (await admin.get(path)).json
    unsaid = {"headers": {}, "ca_certificate": "", "timeout_seconds": 10, "is_ordered": False}
    assert shown == {
        **wanted,
        "id": made.new_id,
        "project_id": project.id,
        "creator": "admin",
        "creation_time": shown["creation_time"],
        "update_time": shown["update_time"],
        "filters": [],
        "targets": [wanted["targets"][0] | unsaid | {"id": shown["targets"][0]["id"]}],
    }
    listed = await admin.get(path_of(project))
    assert (listed.total, listed.json) == (1, [shown])
    # Harbor's clients send back all that they were shown.
    assert (await admin.put(path, shown | {"enabled": False, "name": "other"})).status == 200
    changed = (await admin.get(path)).json
    assert changed == shown | {"enabled": False, "name": "other", "update_time": changed["update_time"]}
    assert changed["update_time"] > shown["update_time"]
    assert (await admin.delete(path)).status == 200
    for answer in (await admin.get(path), await admin.put(path, wanted), await admin.delete(path)):
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
    async with shared.resources.database.autocommit() as statements:
        events = await statements.values(EVENTS, project=project.name)
    assert events == [f"notification-policy.{what}" for what in ("created", "updated", "deleted")]


async def test_what_terraform_sends_is_taken_and_shown_as_it_was_sent(
    admin: Caller, project: Project
) -> None:
    body = {
        "update_time": "0001-01-01T00:00:00Z",
        "description": "",
        "creator": "",
        "creation_time": "0001-01-01T00:00:00Z",
        "enabled": True,
        "targets": [
            {
                "type": "slack",
                "auth_header": "",
                "skip_cert_verify": True,
                "address": "https://hooks.example.com/T0/B0",
                "payload_format:omitempty": "",
            }
        ],
        "event_types": ["DELETE_ARTIFACT", "PUSH_ARTIFACT"],
        "project_id": 0,
        "id": 0,
        "name": "terraform",
    }
    made = await admin.post(path_of(project), body)
    shown = (await admin.get(made.headers["Location"])).json
    assert shown["event_types"] == body["event_types"]
    (seen,) = shown["targets"]
    assert (seen["type"], seen["address"]) == ("slack", "https://hooks.example.com/T0/B0")
    assert (seen["auth_header"], seen["skip_cert_verify"], seen["payload_format"]) == ("", True, "")


async def test_policies_are_filtered_sorted_and_paged(admin: Caller, project: Project) -> None:
    for name in ("b", "a", "c"):
        await admin.post(path_of(project), policy(name=name, enabled=name != "c"))

    async def names(**params: Any) -> list[str]:
        return [shown["name"] for shown in (await admin.get(path_of(project), **params)).json]

    assert await names() == ["c", "a", "b"]
    assert await names(sort="name") == ["a", "b", "c"]
    assert await names(q="name=b") == ["b"]
    assert await names(q="enabled=false") == ["c"]
    second = await admin.get(path_of(project), page=2, page_size=2)
    assert ([shown["name"] for shown in second.json], second.total) == (["b"], 3)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (policy(name=" "), 400, "name:"),
        (policy(name="a" * 256), 422, "name"),
        (policy(event_types=[]), 400, "there are PUSH_ARTIFACT"),
        (policy(event_types=["PUSH_ARTIFACT", "PUSH"]), 400, "there is no 'PUSH'; there are PUSH_ARTIFACT"),
        (policy(targets=[]), 400, "1 to 10"),
        (policy(targets=[target(address=f"http://a/{n}") for n in range(11)]), 400, "1 to 10"),
        (policy(targets=[target(), target(auth_header="x")]), 400, "same type and address"),
        (policy(targets=[target(type="email")]), 400, "none of http, slack, teams"),
        (policy(targets=[target(payload_format="XML")]), 400, "CloudEventsBinary, Distribution"),
        (policy(targets=[target(type="slack", payload_format="CloudEvents")]), 400, "slack takes: Default"),
        (policy(targets=[target(address="example.com/hook")]), 400, "it is a URL"),
        (policy(targets=[target(address="ftp://example.com")]), 400, "it is a URL"),
        (policy(targets=[target(address="https://")]), 400, "it is a URL"),
        (policy(targets=[target(address="https://a b/")]), 400, "it is a URL"),
        (policy(targets=[target(address="https://a:99999/")]), 400, "no URL"),
        (policy(targets=[target(address="https://[::1/")]), 400, "no URL"),
        (policy(targets=[target(address="https://me:pw@example.com")]), 400, "put them into auth_header"),
        (policy(targets=[target(address="http://127.1:80/")]), 400, "ROADSTEAD_OUTGOING_ALLOW"),
        (policy(targets=[target(address="https://[fe80::1%25eth0]/")]), 400, "may be called"),
        (policy(targets=[target(type="slack", address="http://LOCALHOST/")]), 400, "may be called"),
        (policy(targets=[target(auth_header="a\r\nX-B: c")]), 400, "auth_header: it is one line"),
        (policy(targets=[target(headers={"X A": "b"})]), 400, "'X A' is no name"),
        (policy(targets=[target(headers={"": "b"})]), 400, "'' is no name"),
        (policy(targets=[target(headers={"X-A": "b\nc"})]), 400, "the value of 'X-A'"),
        (policy(targets=[target(headers={"X-A": "b", "x-a": "c"})]), 400, "the same name"),
        (policy(targets=[target(headers={"Webhook-Id": "1"})]), 400, "set by the registry itself"),
        (policy(targets=[target(headers={"Host": "a"})]), 400, "set by the registry itself"),
        (policy(targets=[target(headers={"Content-Length": "1"})]), 400, "set by the registry itself"),
        (policy(targets=[target(headers={"Authorization": "a"})]), 400, "auth_header"),
        (policy(targets=[target(ca_certificate="no certificate")]), 400, "in PEM"),
        (policy(targets=[target(ca_certificate="é")]), 400, "in PEM"),
        (policy(targets=[target(timeout_seconds=31)]), 422, "timeout_seconds"),
        (policy(filters=[{"kind": "tag", "pattern": "[a"}]), 400, "'[a' is no doublestar pattern"),
        (policy(filters=[{"kind": "label", "pattern": "a"}]), 422, "kind"),
        ({}, 422, "name"),
    ],
)
async def test_what_is_wrong_with_a_policy_is_said(
    admin: Caller, project: Project, body: object, status: int, says: str
) -> None:
    answer = await admin.post(path_of(project), body)
    assert answer.status == status
    assert says in answer.message
    assert (await admin.get(path_of(project))).total == 0


async def test_name_is_taken_once_in_a_project(
    admin: Caller, project: Project, public_project: Project
) -> None:
    assert (await admin.post(path_of(project), policy(name="a"))).status == 201
    assert (await admin.post(path_of(public_project), policy(name="a"))).status == 201
    assert (await admin.post(path_of(project), policy(name="a"))).code == "CONFLICT"
    other = (await admin.post(path_of(project), policy(name="b"))).new_id
    assert (await admin.put(f"{path_of(project)}/{other}", policy(name="a"))).code == "CONFLICT"


async def test_project_has_a_hundred_policies_at_most(admin: Caller, project: Project) -> None:
    making = (admin.post(path_of(project), policy(name=str(number))) for number in range(110))
    answers = await asyncio.gather(*making)
    assert Counter(answer.status for answer in answers) == {201: 100, 400: 10}


async def test_policy_of_another_project_is_not_there(
    admin: Caller, project: Project, shared: Registry
) -> None:
    other = await make_project(shared, is_public=False)
    policy_id = (await admin.post(path_of(other), policy())).new_id
    path = f"{path_of(project)}/{policy_id}"
    answers = [await admin.get(path), await admin.put(path, policy()), await admin.delete(path)]
    assert [answer.status for answer in answers] == [404] * 3


async def test_values_of_headers_are_for_those_who_may_change_the_policy(
    admin: Caller, project: Project, make_user: MakeUser, shared: Registry
) -> None:
    secret = unique("secret")
    body = policy(targets=[target(auth_header=secret, headers={"X-Token": secret})])
    path = f"{path_of(project)}/{(await admin.post(path_of(project), body)).new_id}"
    owner, maintainer = await make_user(Role.PROJECT_ADMIN), await make_user(Role.MAINTAINER)
    for shown in ((await owner.get(path)).json, (await owner.get(path_of(project))).json[0]):
        (seen,) = shown["targets"]
        assert (seen["auth_header"], seen["headers"]) == (secret, {"X-Token": secret})
    for answer in (await maintainer.get(path), await maintainer.get(path_of(project))):
        assert answer.status == 200
        assert secret not in str(answer.json)
    assert (await maintainer.put(path, body)).status == 403
    assert (await (await make_user(Role.DEVELOPER)).get(path)).status == 403
    async with shared.resources.database.autocommit() as statements:
        assert all(secret not in token for token in await statements.values(SECRETS_OF))


async def test_robot_sees_values_where_it_may_change_them(
    admin: Caller, project: Project, shared: Registry
) -> None:
    body = policy(targets=[target(auth_header="secret")])
    path = f"{path_of(project)}/{(await admin.post(path_of(project), body)).new_id}"
    for actions, seen in ((("read",), ""), (("read", "update"), "secret")):
        access = [{"resource": "notification-policy", "action": action} for action in actions]
        robot = caller_of(shared, await admin.post("/robots", of_project(project, access)))
        assert (await robot.get(path)).json["targets"][0]["auth_header"] == seen


async def test_target_is_known_by_type_and_address_and_keeps_what_nothing_is_said_of(
    admin: Caller, project: Project
) -> None:
    further = {
        "headers": {"X-A": "b"},
        "ca_certificate": CERTIFICATE,
        "timeout_seconds": 30,
        "is_ordered": True,
    }
    filters = [{"kind": "tag", "pattern": "v*", "decoration": "excludes"}]
    body = policy(targets=[target(address="http://one"), target(address="http://two", **further)])
    path = f"{path_of(project)}/{(await admin.post(path_of(project), body | {'filters': filters})).new_id}"
    one, two = (await admin.get(path)).json["targets"]
    assert two == target(address="http://two", **further) | {"id": two["id"]}
    body["targets"] = [target(address="http://three"), target(address="http://two", auth_header="x")]
    assert (await admin.put(path, body)).status == 200
    shown = (await admin.get(path)).json
    assert shown["filters"] == filters
    kept, added = shown["targets"]
    assert kept == two | {"auth_header": "x"}
    assert added["address"] == "http://three"
    assert added["id"] not in {one["id"], two["id"]}
    body["targets"] = [target(address="http://two", headers={}, ca_certificate="", timeout_seconds=1)]
    assert (await admin.put(path, body | {"filters": []})).status == 200
    shown = (await admin.get(path)).json
    assert shown["filters"] == []
    (kept,) = shown["targets"]
    assert (kept["headers"], kept["ca_certificate"], kept["timeout_seconds"]) == ({}, "", 1)
    assert kept["is_ordered"]


async def test_secrets_go_with_their_targets(admin: Caller, project: Project, shared: Registry) -> None:
    async def count() -> int:
        async with shared.resources.database.autocommit() as statements:
            return int(await statements.value(COUNT_SECRETS))

    before = await count()
    body = policy(targets=[target(address="http://one"), target(address="http://two")])
    path = f"{path_of(project)}/{(await admin.post(path_of(project), body)).new_id}"
    assert await count() == before + 2
    await admin.put(path, policy(targets=[target(address="http://two")]))
    assert await count() == before + 1
    await admin.delete(path)
    assert await count() == before


async def test_policy_whose_secrets_can_not_be_read_is_shown_without_and_mended_by_a_change(
    admin: Caller, project: Project, shared: Registry
) -> None:
    body = policy(targets=[target(auth_header="x")])
    path = f"{path_of(project)}/{(await admin.post(path_of(project), body)).new_id}"
    async with shared.resources.database.autocommit() as statements:
        await statements.run(FORGET_KEYS, project_id=project.id)
    assert (await admin.get(path)).json["targets"][0]["auth_header"] == ""
    assert (await admin.put(path, body)).status == 200
    assert (await admin.get(path)).json["targets"][0]["auth_header"] == "x"


async def test_what_policies_can_name_is_listed(admin: Caller, project: Project) -> None:
    named = (await admin.get(f"{project.path}/webhook/events")).json
    harbors = {"PUSH_ARTIFACT", "PULL_ARTIFACT", "DELETE_ARTIFACT", "QUOTA_EXCEED", "QUOTA_WARNING"}
    assert harbors | {"REPLICATION", "TAG_RETENTION", "SCANNING_COMPLETED"} <= set(named["event_type"])
    assert named["notify_type"] == ["http", "slack", "teams"]
    formats = ["Default", "CloudEvents", "CloudEventsBinary", "Distribution"]
    assert named["payload_formats"] == [{"notify_type": "http", "formats": formats}]
    assert (await admin.post(path_of(project), policy(event_types=named["event_type"]))).status == 201
