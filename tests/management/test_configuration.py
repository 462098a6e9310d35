"""The configuration of the system, and what it does."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from app.configuration.absent import ABSENT
from app.configuration.current import current, token_lifetime
from app.configuration.store import lock_configured
from app.db import SQL
from tests.management.client import Caller, unique
from tests.management.conftest import MakeUser, Project
from tests.support.eventually import until
from tests.support.registry import Registry

PATH = "/configurations"
EVENTS = SQL("SELECT payload->>'name' FROM outbox WHERE type = 'configuration.updated' ORDER BY id")
WAITING = SQL("""
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
""")
FORGET = SQL("DELETE FROM configurations")
FORGET_EVENTS = SQL("DELETE FROM outbox WHERE type = 'configuration.updated'")
READ_ONLY = {
    "code": "DENIED",
    "message": "The system is in read only mode. Any modification is prohibited.",
}


@pytest.fixture(autouse=True)
async def as_new(shared: Registry) -> AsyncIterator[None]:
    """The registry is shared: nothing that was configured stays."""
    yield
    async with shared.resources.database.transaction() as tx:
        await tx.run(FORGET)
        await tx.run(FORGET_EVENTS)


async def events(registry: Registry) -> list[str]:
    async with registry.resources.database.autocommit() as statements:
        return await statements.values(EVENTS)


async def test_configuration_is_shown_with_what_can_be_changed(admin: Caller) -> None:
    shown = (await admin.get(PATH)).json
    assert {key: item["value"] for key, item in shown.items() if item["editable"]} == {
        "project_creation_restriction": "everyone",
        "read_only": False,
        "token_expiration": 5,
        "robot_token_duration": 30,
        "session_timeout": 60,
        "quota_per_project_enable": True,
        "storage_per_project": -1,
        "notification_enable": True,
        "banner_message": "",
    }
    fixed = {key: item["value"] for key, item in shown.items() if not item["editable"]}
    assert {key: value for key, value in fixed.items() if key not in ABSENT} == {
        "auth_mode": "db_auth",
        "primary_auth_mode": False,
        "self_registration": False,
        "robot_name_prefix": "robot$",
        "audit_log_forward_endpoint": "",
        "skip_audit_log_database": False,
        "disabled_audit_log_event_types": "",
        "pull_audit_log_disable": False,
        "pull_count_update_disable": False,
        "pull_time_update_disable": False,
        "scanner_skip_update_pulltime": False,
    }


async def test_what_is_not_there_has_harbors_keys_too(admin: Caller) -> None:
    """harbor-cli breaks on a configuration without one of them."""
    shown = (await admin.get(PATH)).json
    assert {key: shown[key] for key in ("ldap_url", "ldap_scope", "oidc_verify_cert", "uaa_endpoint")} == {
        "ldap_url": {"value": "", "editable": False},
        "ldap_scope": {"value": 0, "editable": False},
        "oidc_verify_cert": {"value": False, "editable": False},
        "uaa_endpoint": {"value": "", "editable": False},
    }
    everything = {key: item["value"] for key, item in shown.items()}
    assert (await admin.put(PATH, everything)).status == 200
    assert (await admin.put(PATH, {"scan_all_policy": {"parameter": {}}})).status == 200
    assert (await admin.get(PATH)).json == shown


async def test_change_counts_at_once_and_is_recorded(admin: Caller, shared: Registry) -> None:
    wanted = {"token_expiration": 10, "project_creation_restriction": "adminonly", "session_timeout": 60}
    assert (await admin.put(PATH, wanted)).status == 200
    now = await current(shared.resources)
    assert (now.token_expiration, now.project_creation_restriction, now.session_timeout) == (
        10,
        "adminonly",
        60,
    )
    assert (await admin.get(PATH)).json["token_expiration"] == {"value": 10, "editable": True}
    assert await events(shared) == ["project_creation_restriction, token_expiration"]
    assert (await admin.put(PATH, wanted)).status == 200
    assert len(await events(shared)) == 1, "nothing changed"


async def test_changes_at_the_same_time_are_made_one_after_the_other(admin: Caller, shared: Registry) -> None:
    database = shared.resources.database

    async def count_waiting() -> int:
        async with database.autocommit() as statements:
            return int(await statements.value(WAITING))

    async with database.transaction() as tx:
        await lock_configured(tx)
        wanted = [{"session_timeout": 7}, {"session_timeout": 7}, {"banner_message": "hello"}]
        changing = [asyncio.create_task(admin.put(PATH, change)) for change in wanted]
        await until(count_waiting, lambda waiting: waiting == len(wanted))
    assert {answer.status for answer in await asyncio.gather(*changing)} == {200}
    now = await current(shared.resources)
    assert (now.session_timeout, now.banner_message) == (7, "hello")
    assert sorted(await events(shared)) == ["banner_message", "session_timeout"]


async def test_tokens_live_as_long_as_is_configured(admin: Caller, shared: Registry) -> None:
    assert await token_lifetime(shared.resources) == shared.resources.settings.auth.token_lifetime
    await admin.put(PATH, {"token_expiration": 7})
    assert await token_lifetime(shared.resources) == timedelta(minutes=7)


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"token_expiration": "10"}, "token_expiration"),
        ({"token_expiration": 0}, "token_expiration"),
        ({"token_expiration": 10**10}, "token_expiration"),
        ({"read_only": "false"}, "read_only"),
        ({"project_creation_restriction": "nobody"}, "project_creation_restriction"),
        ({"storage_per_project": 0}, "storage_per_project"),
        ({"storage_per_project": -2}, "storage_per_project"),
        ({"robot_token_duration": -1}, "robot_token_duration"),
        ({"banner_message": "x" * 5_000}, "banner_message"),
        ({"banner_message": {"a": 1}}, "banner_message"),
        ({"no_such_key": 1}, "no_such_key"),
        ({"oidc_client_secret": "hidden"}, "oidc_client_secret"),
        ({"auth_mode": "ldap_auth"}, "auth_mode"),
        ({"ldap_url": "ldap://directory"}, "ldap_url"),
        ({"robot_name_prefix": "bot-"}, "robot_name_prefix"),
        ({"self_registration": True}, "self_registration"),
    ],
)
async def test_bad_value_is_refused_by_the_name_of_its_key(
    admin: Caller, shared: Registry, wanted: dict[str, Any], named: str
) -> None:
    before = (await admin.get(PATH)).json
    answer = await admin.put(PATH, {"session_timeout": 5} | wanted)
    assert (answer.status, answer.code) == (400, "BAD_REQUEST")
    assert named in answer.message
    assert (await admin.get(PATH)).json == before, "all of it or nothing"
    assert await events(shared) == []


@pytest.mark.parametrize("body", [[], "read_only", 7])
async def test_what_is_no_object_is_refused(admin: Caller, body: Any) -> None:
    answer = await admin.put(PATH, body)
    assert (answer.status, answer.code) == (422, "UNPROCESSABLE_ENTITY")


async def test_clients_may_send_back_what_they_cannot_change(admin: Caller) -> None:
    """The Terraform provider sends all keys that it knows, others send null for what they leave alone."""
    wanted = {"auth_mode": "db_auth", "robot_name_prefix": "robot$", "scanner_skip_update_pulltime": False}
    assert (await admin.put(PATH, wanted | {"oidc_name": None, "session_timeout": 5})).status == 200
    assert (await admin.get(PATH)).json["session_timeout"]["value"] == 5


async def test_configuration_is_for_administrators(make_user: MakeUser, stranger: Caller) -> None:
    user = await make_user()
    for call in (user.get(PATH), user.put(PATH, {"read_only": True})):
        answer = await call
        assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert (await stranger.get(PATH)).status == 401
    assert (await stranger.put(PATH, {"read_only": True})).status == 401


async def test_nothing_is_changed_while_the_system_is_read_only(
    admin: Caller, shared: Registry, project: Project
) -> None:
    member = {"role_id": 2, "member_user": {"username": "admin"}}
    token = await shared.token(f"repository:{project.name}/app:pull,push")
    await admin.put(PATH, {"read_only": True})
    answer = await admin.post(f"{project.path}/members", member)
    assert (answer.status, answer.json["errors"]) == (403, [READ_ONLY])
    url = f"{shared.url}/v2/{project.name}/app/blobs/uploads/"
    for headers in ({"Authorization": f"Bearer {token}"}, admin.auth):
        async with shared.session.post(url, headers=headers) as refused:
            assert (refused.status, (await refused.json())["errors"]) == (403, [READ_ONLY])
    assert (await admin.get(f"{project.path}/members")).total == 0, "reading goes on"
    assert (await admin.post("/blobs/urls", {"digests": ["none"]})).status == 200, "also of many at once"
    assert await shared.token(f"repository:{project.name}/app:pull"), "logging in goes on"
    assert (await admin.put(PATH, {"read_only": False})).status == 200
    assert (await admin.post(f"{project.path}/members", member)).status == 201
    async with shared.session.post(url, headers=admin.auth) as accepted:
        assert accepted.status == 202


async def test_read_only_tells_strangers_nothing(
    admin: Caller, project: Project, make_user: MakeUser
) -> None:
    outsider = await make_user()
    await admin.put(PATH, {"read_only": True})
    real = await outsider.post(f"{project.path}/members", {"role_id": 2})
    missing = await outsider.post(f"/projects/{unique('missing')}/members", {"role_id": 2})
    assert (real.status, real.json) == (missing.status, missing.json)
    assert real.code == "FORBIDDEN"


async def test_token_endpoint_says_how_long_is_configured(admin: Caller, shared: Registry) -> None:
    async def lifetime() -> int:
        async with shared.session.get(f"{shared.url}/service/token", headers=admin.auth) as answer:
            return int((await answer.json())["expires_in"])

    assert await lifetime() == 300
    await admin.put("/configurations", {"token_expiration": 7})
    assert await lifetime() == 420
    await admin.put("/configurations", {"token_expiration": 5})
