"""Conditions that no list can have: refused by every list, whatever the key."""

import pytest

from tests.management.client import Caller
from tests.management.conftest import Project

LISTS = (
    "/projects?q=name",
    "/repositories?q=name",
    "/users?q=username",
    "/usergroups?q=group_name",
    "/labels?scope=g&q=name",
    "/robots?q=name",
    "/audit-logs?q=username",
    "/projects/{name}/members?q=entity_name",
    "/projects/{name}/repositories?q=name",
    "/projects/{name}/artifacts?q=digest",
    "/projects/{name}/logs?q=resource",
    "/projects/{name}/webhook/policies?q=name",
)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("value", ["%2500", "~%2500", "{{a%2500 b}}", "[a~%2500]"])
async def test_nul_that_is_escaped_twice_is_refused(
    admin: Caller, project: Project, path: str, value: str
) -> None:
    answer = await admin.get((path + "%3D" + value).replace(" ", "%20").format(name=project.name))
    assert (answer.status, answer.code) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "condition",
    [
        "creation_time=[0001-01-01T00:00:00+14:00~]",
        "creation_time=[~9999-12-31T23:59:59-14:00]",
        "creation_time=[~tomorrow]",
        "project_id=99999999999999999999",
        "project_id=00000000000000000000x",
    ],
)
async def test_value_out_of_range_is_refused(stranger: Caller, condition: str) -> None:
    answer = await stranger.get("/projects", q=condition.replace("+", "%2B"))
    assert (answer.status, answer.code) == (400, "BAD_REQUEST")


async def test_number_is_read_to_its_end(admin: Caller, project: Project) -> None:
    found = await admin.get("/projects", q=f"project_id={project.id:030}")
    assert [one["name"] for one in found.json] == [project.name]


async def test_robots_of_a_project_that_no_number_can_name_are_refused(admin: Caller) -> None:
    beyond = "00000000000000000001" + "9" * 100
    answer = await admin.get("/robots", q=f"Level=project,ProjectID={beyond}")
    assert (answer.status, answer.code) == (400, "BAD_REQUEST")
