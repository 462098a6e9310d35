"""Labels: global ones of administrators, and those of projects."""

import asyncio
from typing import Any

import pytest

from app.access import Role
from app.db import SQL
from tests.management.client import Caller, unique
from tests.management.conftest import MakeUser, Project
from tests.support.registry import Registry

EVENTS = SQL("SELECT type FROM outbox WHERE payload->>'name' = %(name)s ORDER BY id")


def of_project(project: Project, **fields: Any) -> dict[str, Any]:
    return {"name": unique("label"), "scope": "p", "project_id": project.id, **fields}


async def test_label_is_made_shown_changed_and_removed(
    project: Project, make_user: MakeUser, shared: Registry
) -> None:
    maintainer = await make_user(Role.MAINTAINER)
    wanted = of_project(project, color="#00aaFF", description="ready")
    made = await maintainer.post("/labels", wanted)
    path = f"/labels/{made.new_id}"
    assert made.headers["Location"] == f"/api/v2.0{path}"
    shown = (await maintainer.get(path)).json
    assert shown == {
        "id": made.new_id,
        "name": wanted["name"],
        "description": "ready",
        "color": "#00aaFF",
        "scope": "p",
        "project_id": project.id,
        "creation_time": shown["creation_time"],
        "update_time": shown["creation_time"],
    }
    listed = await maintainer.get("/labels", scope="p", project_id=project.id)
    assert (listed.json, listed.total) == ([shown], 1)
    moved = {"name": wanted["name"], "scope": "g", "project_id": 0, "color": ""}
    assert (await maintainer.put(path, moved)).status == 200
    changed = (await maintainer.get(path)).json
    assert (changed["color"], changed["description"], changed["scope"]) == ("", "", "p")
    assert (await maintainer.delete(path)).status == 200
    assert (await maintainer.delete(path)).status == 403
    async with shared.resources.database.autocommit() as statements:
        events = await statements.values(EVENTS, name=wanted["name"])
    assert events == ["label.created", "label.updated", "label.deleted"]


async def test_name_is_taken_once_in_each_scope(
    admin: Caller, project: Project, public_project: Project
) -> None:
    name = unique("label")
    bodies = [
        of_project(project, name=name),
        of_project(public_project, name=name),
        {"name": name, "scope": "g"},
    ]
    answers = await asyncio.gather(*(admin.post("/labels", body) for body in bodies * 4))
    statuses = [answer.status for answer in answers]
    assert (statuses.count(201), statuses.count(409)) == (3, 9)
    other = await admin.post("/labels", of_project(project))
    refused = await admin.put(f"/labels/{other.new_id}", {"name": name})
    assert (refused.status, refused.code) == (409, "CONFLICT")
    assert (await admin.get("/labels", scope="p", project_id=project.id, name=name.upper())).total == 1
    assert (await admin.get("/labels", scope="g", q=f"name={name}")).json[0]["project_id"] == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "a"}, 400),
        ({"name": "", "scope": "g"}, 400),
        ({"name": "a\nb", "scope": "g"}, 400),
        ({"name": "a\u202e", "scope": "g"}, 400),
        ({"scope": "g"}, 400),
        ({"name": "a", "scope": "p"}, 400),
        ({"name": "a", "scope": "x"}, 400),
        ({"name": "a", "scope": "g", "color": "red;"}, 400),
        ({"name": "a", "scope": "g", "color": "##112233"}, 400),
        ({"name": "a", "scope": "g", "color": "a" * 17}, 422),
        ({"name": "a" * 129, "scope": "g"}, 422),
        ({"name": "a", "scope": "g", "description": "a" * 1025}, 422),
        ({"name": 1, "scope": "g"}, 422),
        ({"name": "a", "scope": "p", "project_id": -1}, 422),
        ({"name": "a", "scope": "p", "project_id": 2**62}, 404),
    ],
)
async def test_bad_label_is_refused(admin: Caller, body: Any, status: int) -> None:
    assert (await admin.post("/labels", body)).status == status
    assert (await admin.get("/labels", scope="g", q="name=a")).total == 0


async def test_list_needs_a_scope(admin: Caller) -> None:
    for params in ({}, {"scope": "p"}, {"scope": "x"}):
        assert (await admin.get("/labels", **params)).status == 400
    assert (await admin.get("/labels", scope="p", project_id=2**62)).status == 404
    assert (await admin.get("/labels", scope="g", q="name=~%' OR 1=1")).json == []
    assert (await admin.get("/labels", scope="g", page=1000)).json == []


async def test_global_labels_are_of_administrators(
    admin: Caller, make_user: MakeUser, stranger: Caller
) -> None:
    name = unique("label")
    made = await admin.post("/labels", {"name": name, "scope": "g"})
    owner = await make_user(Role.PROJECT_ADMIN)
    assert (await owner.get("/labels", scope="g", name=name)).total == 1
    assert (await owner.post("/labels", {"name": unique("label"), "scope": "g"})).status == 403
    for method in ("PUT", "DELETE"):
        assert (await owner(method, f"/labels/{made.new_id}", {"name": name})).status == 403
        assert (await stranger(method, f"/labels/{made.new_id}", {"name": name})).status == 401
    assert (await stranger.get("/labels", scope="g")).status == 401
    assert (await admin.get(f"/labels/{made.new_id}")).json["scope"] == "g"


async def test_labels_of_a_project_are_for_its_members(
    admin: Caller, project: Project, public_project: Project, stranger: Caller, make_user: MakeUser
) -> None:
    hidden = (await admin.post("/labels", of_project(project))).new_id
    shown = (await admin.post("/labels", of_project(public_project))).new_id
    guest, developer, outsider = (
        await make_user(Role.GUEST),
        await make_user(Role.DEVELOPER),
        await make_user(),
    )
    assert (await guest.get(f"/labels/{hidden}")).status == 200
    assert (await developer.post("/labels", of_project(project))).status == 403
    assert (await developer.delete(f"/labels/{hidden}")).status == 403
    assert (await stranger.get(f"/labels/{shown}")).json["project_id"] == public_project.id
    assert (await stranger.get("/labels", scope="p", project_id=public_project.id)).total == 1
    for caller in (outsider, stranger):
        real, missing = await caller.get(f"/labels/{hidden}"), await caller.get(f"/labels/{2**62}")
        assert (real.status, real.json) == (missing.status, missing.json)
        listed = await caller.get("/labels", scope="p", project_id=project.id)
        nothing = await caller.get("/labels", scope="p", project_id=2**62)
        assert (listed.status, listed.json) == (nothing.status, nothing.json)
        assert listed.status in {401, 403}
    assert (await admin.get(f"/labels/{2**62}")).status == 404


async def test_label_goes_with_its_project(admin: Caller, project: Project) -> None:
    made = (await admin.post("/labels", of_project(project))).new_id
    assert (await admin.delete(project.path)).status == 200
    assert (await admin.get(f"/labels/{made}")).status == 404
