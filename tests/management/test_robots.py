"""Robots: Harbor's paths, statuses and shapes."""

import asyncio
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest

from app.db import SQL
from tests.management.client import Caller, unique
from tests.management.conftest import Project
from tests.management.robots import PULL, PUSH, caller_of, entry, of_project, of_system, status_of
from tests.support.eventually import until
from tests.support.registry import Registry

EVENTS = SQL("""
    SELECT type || ' ' || coalesce(payload->>'changed', '') FROM outbox
    WHERE payload->>'name' = %(name)s AND payload->>'project_name' = %(project)s ORDER BY id
""")
DELETE_PROJECT = SQL("DELETE FROM projects WHERE id = %(id)s")
WAITING = SQL("""
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
""")
DAY = 24 * 60 * 60


async def test_robot_is_made_and_shown(admin: Caller, project: Project) -> None:
    wanted = of_project(project, description="builds", duration=10)
    made = await admin.post("/robots", wanted)
    path, name = f"/robots/{made.new_id}", f"robot${project.name}+{wanted['name']}"
    assert made.headers["Location"] == f"/api/v2.0{path}"
    created = datetime.fromisoformat(made.json["creation_time"])
    assert made.json == {
        "id": made.new_id,
        "name": name,
        "secret": made.json["secret"],
        "creation_time": made.json["creation_time"],
        "expires_at": int(created.timestamp()) + 10 * DAY,
    }
    shown = (await admin.get(path)).json
    assert shown == {
        "id": made.new_id,
        "name": name,
        "description": "builds",
        "level": "project",
        "duration": 10,
        "editable": True,
        "disable": False,
        "expires_at": made.json["expires_at"],
        "permissions": [{"kind": "project", "namespace": project.name, "access": PULL}],
        "creator_type": "local",
        "creator_ref": shown["creator_ref"],
        "creation_time": made.json["creation_time"],
        "update_time": made.json["creation_time"],
    }


async def test_robot_is_changed_and_removed(admin: Caller, project: Project, shared: Registry) -> None:
    made = await admin.post("/robots", of_project(project, description="builds", duration=10))
    path, name = f"/robots/{made.new_id}", made.json["name"]
    shown = (await admin.get(path)).json
    becomes = shown | {"description": "", "duration": -1, "permissions": [entry(project.name, PUSH)]}
    assert (await admin.put(path, becomes)).status == 200
    assert (await admin.put(path, becomes)).status == 200, "nothing is different"
    changed = (await admin.get(path)).json
    assert changed == becomes | {"update_time": changed["update_time"], "expires_at": -1}
    assert (await admin.delete(path)).status == 200
    assert (await admin.get(path)).status == 404
    async with shared.resources.database.autocommit() as statements:
        events = await statements.values(EVENTS, name=name, project=project.name)
    assert events == [
        "robot.created ",
        "robot.updated description, permissions, duration_days",
        "robot.deleted ",
    ]


async def test_list_has_robots_of_the_system_or_of_one_project(admin: Caller, project: Project) -> None:
    names = sorted([(await admin.post("/robots", of_project(project))).json["name"] for _ in range(3)])
    system = (await admin.post("/robots", of_system(entry("*")))).json["name"]
    q = f"Level=project,ProjectID={project.id}"
    first = await admin.get("/robots", q=q, page_size=2)
    assert [robot["name"] for robot in first.json] == names[:2]
    assert first.total == 3
    assert 'page=2&page_size=2>; rel="next"' in first.headers["Link"]
    assert (await admin.get("/robots", q=q, page=7)).json == []
    named = f"{q},name={names[1].removeprefix('robot$')}"
    for escaped in (named, quote(named), f"{quote(q)}%2Cname={quote(names[1].removeprefix('robot$'))}"):
        assert [robot["name"] for robot in (await admin.get("/robots", q=escaped)).json] == [names[1]]
    falling = await admin.get("/robots", q=q, sort="-name", page_size=1)
    assert falling.json[0]["name"] == names[-1]
    last = names[1].rpartition("+")[2]
    assert [robot["name"] for robot in (await admin.get("/robots", q=f"{q},name=~{last}")).json] == names[1:2]
    for q in ("", "Level=system", "ProjectID=1"):
        listed = await admin.get("/robots", page_size=100, **({"q": q} if q else {}))
        assert {robot["level"] for robot in listed.json} == {"system"}
        assert system in {robot["name"] for robot in listed.json}


@pytest.mark.parametrize(
    ("q", "status"),
    [
        ("Level=project", 400),
        ("Level=project,ProjectID=x", 400),
        ("Level=project,ProjectID=-1", 400),
        ("Level=project,ProjectID=0", 400),
        ("Level=project,ProjectID=99999999999999999999", 400),
        ("Level=project,ProjectID={1 2}", 400),
        ("Level=project,ProjectID=99999999", 404),
        ("Level=galaxy", 400),
        ("Level=~s", 400),
        ("name=~%25' OR 1=1 --", 200),
        ("duration=x", 400),
        ("name", 400),
    ],
)
async def test_odd_queries_are_answered(admin: Caller, q: str, status: int) -> None:
    answer = await admin.get("/robots", q=q)
    assert answer.status == status
    assert status != 200 or answer.json == []


async def test_secret_is_replaced(admin: Caller, project: Project, shared: Registry) -> None:
    made = await admin.post("/robots", of_project(project, PUSH))
    old, path = caller_of(shared, made), f"/robots/{made.new_id}"
    token = await shared.token(f"repository:{project.name}/app:pull,push", auth=old.auth)
    assert await status_of(old, project, method="POST", token=token) == 202
    refreshed = await admin("PATCH", path, {"secret": ""})
    new = Caller(shared, old.username, refreshed.json["secret"])
    assert new.password != old.password
    assert await status_of(old, project, method="POST") == 401
    assert await status_of(old, project, method="POST", token=token) == 401
    assert await status_of(new, project, method="POST") == 202
    given = await admin("PATCH", path, {"secret": "Chosen-by-me-1"})
    assert (given.status, given.json) == (200, {})
    assert await status_of(new, project, method="POST") == 401
    chosen = Caller(shared, old.username, "Chosen-by-me-1")
    assert await status_of(chosen, project, method="POST") == 202


async def test_secret_may_be_given_at_once(admin: Caller, project: Project, shared: Registry) -> None:
    made = await admin.post("/robots", of_project(project, PUSH, secret="Chosen-by-me-1"))
    assert made.json["secret"] == "Chosen-by-me-1"
    assert await status_of(caller_of(shared, made), project, method="POST") == 202


@pytest.mark.parametrize("secret", ["Short-1", "no-upper-1", "NO-LOWER-1", "No-digits"])
async def test_weak_secret_is_refused(admin: Caller, project: Project, secret: str) -> None:
    made = await admin.post("/robots", of_project(project))
    for answer in (
        await admin.post("/robots", of_project(project, secret=secret)),
        await admin("PATCH", f"/robots/{made.new_id}", {"secret": secret}),
    ):
        assert (answer.status, answer.code) == (400, "BAD_REQUEST")


async def test_robot_without_duration_lives_as_long_as_is_configured(admin: Caller, project: Project) -> None:
    wanted = of_project(project)
    del wanted["duration"]
    made = await admin.post("/robots", wanted)
    assert (await admin.get(f"/robots/{made.new_id}")).json["duration"] == 30


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"name": "Upper"}, 400, "BAD_REQUEST"),
        ({"name": "a+b"}, 400, "BAD_REQUEST"),
        ({"name": ""}, 400, "BAD_REQUEST"),
        ({"name": "x" * 256}, 422, "UNPROCESSABLE_ENTITY"),
        ({"name": 7}, 422, "UNPROCESSABLE_ENTITY"),
        ({"name": "a\0b"}, 422, "UNPROCESSABLE_ENTITY"),
        ({"level": "galaxy"}, 422, "UNPROCESSABLE_ENTITY"),
        ({"duration": 0}, 400, "BAD_REQUEST"),
        ({"duration": -2}, 400, "BAD_REQUEST"),
        ({"duration": 36_501}, 400, "BAD_REQUEST"),
        ({"duration": "7"}, 422, "UNPROCESSABLE_ENTITY"),
        ({"description": "x" * 1_025}, 422, "UNPROCESSABLE_ENTITY"),
        ({"permissions": []}, 400, "BAD_REQUEST"),
        ({"permissions": [entry("*")]}, 400, "BAD_REQUEST"),
        ({"permissions": [entry("/", [{"resource": "catalog", "action": "read"}])]}, 400, "BAD_REQUEST"),
        ({"permissions": [entry("library"), entry("library")]}, 400, "BAD_REQUEST"),
        ({"permissions": [entry("library", [])]}, 400, "BAD_REQUEST"),
        ({"permissions": [entry("no-such-project")]}, 404, "NOT_FOUND"),
        ({"permissions": [entry("library", [{"resource": "x", "action": "y"}])]}, 400, "BAD_REQUEST"),
        (
            {"permissions": [entry("library", [{"resource": "robot", "action": "update"}])]},
            400,
            "BAD_REQUEST",
        ),
        ({"level": "system", "permissions": [entry("/")]}, 400, "BAD_REQUEST"),
        (
            {"level": "system", "permissions": [entry("/") | {"kind": "project"}]},
            400,
            "BAD_REQUEST",
        ),
        ({"level": "system", "permissions": [entry("no-such-project")]}, 404, "NOT_FOUND"),
        ({"level": "system", "permissions": [entry("*"), entry("*", [])]}, 400, "BAD_REQUEST"),
    ],
)
async def test_bad_robot_is_refused(admin: Caller, change: dict[str, Any], status: int, code: str) -> None:
    wanted = {"name": unique("ci"), "level": "project", "duration": -1, "permissions": [entry("library")]}
    answer = await admin.post("/robots", wanted | change)
    assert (answer.status, answer.code) == (status, code)


async def test_name_is_given_once(admin: Caller, project: Project) -> None:
    wanted = of_project(project)
    answers = await asyncio.gather(*(admin.post("/robots", wanted) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    other = of_system(entry("*"), name=wanted["name"])
    assert (await admin.post("/robots", other)).status == 201, "one of the system is another"


@pytest.mark.parametrize("change", [{"name": "robot$other"}, {"name": "ci"}, {"level": "system"}])
async def test_level_and_name_stay(admin: Caller, project: Project, change: dict[str, Any]) -> None:
    made = await admin.post("/robots", of_project(project))
    shown = (await admin.get(f"/robots/{made.new_id}")).json
    answer = await admin.put(f"/robots/{made.new_id}", shown | change)
    assert (answer.status, answer.code) == (400, "BAD_REQUEST")


async def test_project_that_is_being_deleted_gets_no_robot(
    admin: Caller, project: Project, shared: Registry
) -> None:
    database = shared.resources.database

    async def count_waiting() -> int:
        async with database.autocommit() as statements:
            return int(await statements.value(WAITING))

    async with database.transaction() as tx:
        await tx.run(DELETE_PROJECT, id=project.id)
        making = asyncio.create_task(admin.post("/robots", of_project(project)))
        await until(count_waiting, bool)
    answer = await making
    assert (answer.status, answer.code) == (404, "NOT_FOUND")
