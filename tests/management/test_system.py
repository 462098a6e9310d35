"""The system as clients meet it first: what it is, whether it does well, what robots can be given."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn

from app.access import Role
from app.access.robots import GRANTABLE_ON_PROJECTS, GRANTABLE_ON_SYSTEM
from app.db import SQL
from tests.conformance.serving import settings_for
from tests.management.client import Caller, unique
from tests.management.conftest import MakeUser, Project
from tests.management.robots import caller_of, entry, of_system
from tests.support.registry import Registry, running_registry
from tests.support.servers import Databases

LEAVE_WAITING = SQL("UPDATE outbox SET recorded_at = now() - interval '90 seconds'")
FOR_EVERYBODY = {
    "auth_mode": "db_auth",
    "primary_auth_mode": False,
    "self_registration": False,
    "banner_message": "",
    "oidc_provider_name": "",
}


def components_of(answer: Any) -> dict[str, str]:
    return {part["name"]: part.get("error", part["status"]) for part in answer["components"]}


async def test_strangers_are_told_what_they_need_to_log_in(stranger: Caller) -> None:
    assert (await stranger.get("/systeminfo")).json == FOR_EVERYBODY


async def test_those_who_are_logged_in_are_told_more(make_user: MakeUser, shared: Registry) -> None:
    shown = (await (await make_user()).get("/systeminfo")).json
    assert abs(datetime.fromisoformat(shown.pop("current_time")) - datetime.now(UTC)) < timedelta(minutes=1)
    assert shown.pop("harbor_version").startswith("v")
    assert shown == FOR_EVERYBODY | {
        "external_url": shared.url,
        "registry_url": shared.url.removeprefix("http://"),
        "project_creation_restriction": "everyone",
        "has_ca_root": False,
        "registry_storage_provider_name": "filesystem",
        "read_only": False,
        "notification_enable": True,
    }


async def test_banner_is_for_everybody(admin: Caller, stranger: Caller) -> None:
    await admin.put("/configurations", {"banner_message": "closed on Sunday"})
    assert (await stranger.get("/systeminfo")).json["banner_message"] == "closed on Sunday"
    await admin.put("/configurations", {"banner_message": ""})


async def test_wrong_credentials_are_refused_even_where_nobody_needs_any(shared: Registry) -> None:
    assert (await Caller(shared, "admin", "wrong").get("/systeminfo")).status == 401


async def test_room_is_shown_to_administrators(
    admin: Caller, make_user: MakeUser, stranger: Caller, shared: Registry
) -> None:
    (storage,) = (await admin.get("/systeminfo/volumes")).json["storage"]
    assert 0 < storage["free"] < storage["total"]
    assert (await (await make_user()).get("/systeminfo/volumes")).status == 403
    assert (await stranger.get("/systeminfo/volumes")).status == 401
    allowed = of_system(entry("/", [{"resource": "system-volumes", "action": "read"}]))
    robot = caller_of(shared, await admin.post("/robots", allowed))
    assert (await robot.get("/systeminfo/volumes")).json["storage"][0]["total"] == storage["total"]


async def test_there_is_no_certificate(stranger: Caller) -> None:
    answer = await stranger.get("/systeminfo/getcert")
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


async def test_ping_and_version_are_for_anyone(stranger: Caller, shared: Registry) -> None:
    pong = await stranger.get("/ping")
    assert (pong.status, pong.json) == (200, "Pong")
    assert pong.headers["Content-Type"].startswith("text/plain")
    assert (await stranger.get("/api/version")).json == {"version": "v2.0"}
    assert (await Caller(shared, "admin", "wrong").get("/ping")).status == 200


async def test_system_is_healthy_when_every_part_is(registry: Registry) -> None:
    assert (await Caller(registry).get("/health")).json == {
        "status": "healthy",
        "components": [
            {"name": name, "status": "healthy"}
            for name in ("core", "database", "jobservice", "redis", "registry")
        ],
    }


async def test_redis_is_only_asked_where_there_is_one(stranger: Caller) -> None:
    assert "redis" not in components_of((await stranger.get("/health")).json)


@pytest.fixture
async def lame(databases: Databases, tmp_path: Path) -> AsyncIterator[Registry]:
    """A registry of its own, which nobody tells where Redis is."""
    with databases.fresh(migrated=True) as url:
        settings = settings_for(url, tmp_path, redis_url="redis://127.0.0.1:1")
        async with running_registry(settings) as running:
            yield running


async def test_part_that_is_gone_is_named_and_the_answer_is_200(lame: Registry) -> None:
    answer = await Caller(lame).get("/health")
    assert (answer.status, answer.json["status"]) == (200, "unhealthy")
    components = components_of(answer.json)
    assert components.pop("redis") == "it cannot be reached"
    assert set(components.values()) == {"healthy"}


async def test_storage_that_is_gone_is_named(lame: Registry, tmp_path: Path) -> None:
    (tmp_path / "storage").rename(tmp_path / "elsewhere")
    assert components_of((await Caller(lame).get("/health")).json)["registry"] == "it cannot be reached"


async def test_workers_that_take_no_events_are_named(lame: Registry) -> None:
    async with lame.resources.database.transaction() as tx:
        await tx.run(LEAVE_WAITING)
    error = components_of((await Caller(lame).get("/health")).json)["jobservice"]
    assert error.startswith("events wait for a worker since 9")


async def test_database_that_is_gone_is_named_and_needed_by_nothing_else(
    lame: Registry, databases: Databases
) -> None:
    name = parse_dsn(str(lame.resources.settings.database.url))["dbname"]
    databases._run("DROP DATABASE {} WITH (FORCE)", name)
    answer = await Caller(lame).get("/health")
    assert (answer.status, answer.json["status"]) == (200, "unhealthy")
    components = components_of(answer.json)
    assert (components["core"], components["registry"]) == ("healthy", "healthy")
    assert components["database"] in {"it cannot be reached", "no answer"}


async def test_permissions_are_listed_for_those_who_make_robots(
    admin: Caller, make_user: MakeUser, stranger: Caller, shared: Registry
) -> None:
    everything = (await admin.get("/permissions")).json
    assert {f"system/{p['resource']}:{p['action']}" for p in everything["system"]} == set(GRANTABLE_ON_SYSTEM)
    assert {f"{p['resource']}:{p['action']}" for p in everything["project"]} == set(GRANTABLE_ON_PROJECTS)
    owner = await make_user(Role.PROJECT_ADMIN)
    assert (await owner.get("/permissions")).json == {"project": everything["project"]}
    robot = caller_of(shared, await admin.post("/robots", of_system(entry("*"))))
    for caller in (await make_user(Role.MAINTAINER), await make_user(), robot):
        assert (await caller.get("/permissions")).status == 403
    assert (await stranger.get("/permissions")).status == 401


async def test_every_answer_names_the_request(admin: Caller, stranger: Caller, project: Project) -> None:
    answers = [
        await admin.get("/projects"),
        await stranger.get("/ping"),
        await stranger.get("/users"),
        await admin.get("/nowhere"),
        await admin("HEAD", project.path),
        await admin.post("/labels", {"name": unique("label"), "scope": "g"}),
        await stranger.get("/api/version"),
    ]
    assert [answer.status for answer in answers] == [200, 200, 401, 404, 200, 201, 200]
    names = {answer.headers["X-Request-Id"] for answer in answers}
    assert len(names) == len(answers)
    assert {answer.headers["Server"] for answer in answers} == {"Roadstead"}
    named = await admin("GET", "/projects", headers={"X-Request-Id": "mine-1"})
    assert named.headers["X-Request-Id"] == "mine-1"
    odd = await admin("GET", "/projects", headers={"X-Request-Id": "<script>"})
    assert odd.headers["X-Request-Id"] != "<script>"
