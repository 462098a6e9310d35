"""The metadata of projects, one entry at a time."""

from typing import Any

import pytest

from app.access import Role
from tests.management.client import Caller
from tests.management.conftest import MakeUser, Project


async def test_entry_is_added_shown_changed_and_removed(admin: Caller, project: Project) -> None:
    path = f"{project.path}/metadatas/"
    assert (await admin.get(path)).json == {"public": "false"}
    assert (await admin.post(path, {"auto_scan": "T"})).status == 200
    assert (await admin.get(path + "auto_scan")).json == {"auto_scan": "true"}
    assert (await admin.post(path, {"auto_scan": "true"})).code == "CONFLICT"
    assert (await admin.put(path + "auto_scan", {"auto_scan": "false"})).status == 200
    assert (await admin.put(path + "severity", {"severity": "Low"})).status == 200
    everything = {"public": "false", "auto_scan": "false", "severity": "low"}
    assert (await admin.get(path)).json == everything
    assert (await admin.get(project.path)).json["metadata"] == everything
    assert (await admin.delete(path + "severity")).status == 200
    assert (await admin.get(path + "severity")).status == 404
    assert (await admin.delete(path + "severity")).status == 404


async def test_public_is_an_entry_like_the_others(admin: Caller, project: Project, stranger: Caller) -> None:
    path = f"{project.path}/metadatas/public"
    assert (await admin.put(path, {"public": "true"})).status == 200
    assert (await stranger.get(project.path)).json["metadata"] == {"public": "true"}
    assert (await admin.delete(path)).status == 200
    assert (await stranger.get(project.path)).status == 401
    assert (await admin.get(path)).json == {"public": "false"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"auto_scan": "true", "prevent_vul": "true"}, 400),
        ({"unknown": "true"}, 400),
        ({"retention_id": "1"}, 400),
        ({"proxy_speed_kb": "100"}, 400),
        ({"auto_scan": "yes"}, 400),
        ({"auto_scan": ""}, 400),
        ({"auto_scan": True}, 422),
        ({"severity": "unknown"}, 400),
        ({"severity": "a" * 2000}, 422),
        ({"a" * 65: "true"}, 422),
        ("auto_scan", 422),
    ],
)
async def test_bad_entry_is_refused(admin: Caller, project: Project, body: Any, status: int) -> None:
    assert (await admin.post(f"{project.path}/metadatas/", body)).status == status
    assert (await admin.get(f"{project.path}/metadatas/")).json == {"public": "false"}


async def test_changed_entry_is_the_one_that_the_path_names(admin: Caller, project: Project) -> None:
    path = f"{project.path}/metadatas/auto_scan"
    assert (await admin.put(path, {"public": "true"})).status == 400
    assert (await admin.put(path, {"public": "true", "auto_scan": "1"})).status == 200
    assert (await admin.get(f"{project.path}/metadatas/")).json == {"public": "false", "auto_scan": "true"}


async def test_maintainers_read_and_administrators_of_the_project_change(
    project: Project, make_user: MakeUser
) -> None:
    path = f"{project.path}/metadatas/public"
    owner, maintainer = await make_user(Role.PROJECT_ADMIN), await make_user(Role.MAINTAINER)
    assert (await maintainer.get(path)).json == {"public": "false"}
    assert (await maintainer.put(path, {"public": "true"})).status == 403
    assert (await owner.put(path, {"public": "true"})).status == 200
