"""Every role against every route of the management API: in where the matrix says so, and nowhere else."""

import re

import pytest

from app.access import PUBLIC_PERMISSIONS, ROLE_PERMISSIONS, Permission, Role
from app.access.routing import Route
from app.main import ROUTES
from app.members.assign import assign_role
from tests.management.client import Caller
from tests.management.conftest import MakeUser, Project, make_project
from tests.support.matrix import PAGE, render

REFUSED = {401, 403}
OF_PROJECTS = [route for route in ROUTES if route.operation and route.permission.is_on_project]
OF_SYSTEM = [route for route in ROUTES if route.operation and route.permission.is_on_system]


def address_of(route: Route, project: Project | None = None) -> str:
    names = {"project_name": project.name, "project_name_or_id": str(project.id)} if project else {}
    return re.sub(r"{(\w+)(:[^{}]*)?}", lambda match: names.get(match[1], "1"), route.path)


async def refused(
    caller: Caller, routes: list[Route], *, is_public: bool, role: Role | None = None
) -> set[str]:
    """Return the routes that the caller is kept from, each tried on a project of its own."""
    found = set()
    for route in routes:
        project = await make_project(caller.registry, is_public=is_public)
        if role is not None:
            async with caller.registry.resources.database.transaction() as tx:
                await assign_role(tx, project.name, caller.username, role=role)
        answer = await caller(route.method, address_of(route, project), {})
        if answer.status in REFUSED:
            found.add(f"{route.method} {route.path}")
    return found


def without(routes: list[Route], permissions: frozenset[Permission]) -> set[str]:
    return {f"{route.method} {route.path}" for route in routes if route.permission not in permissions}


@pytest.mark.slow
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("is_public", [False, True], ids=["private", "public"])
async def test_role_gets_in_where_the_matrix_says_so(
    role: Role, is_public: bool, make_user: MakeUser
) -> None:
    caller = await make_user()
    allowed = ROLE_PERMISSIONS[role] | (PUBLIC_PERMISSIONS if is_public else frozenset())
    assert await refused(caller, OF_PROJECTS, is_public=is_public, role=role) == without(OF_PROJECTS, allowed)


@pytest.mark.parametrize("is_public", [False, True], ids=["private", "public"])
async def test_stranger_gets_in_only_where_it_is_public(
    is_public: bool, make_user: MakeUser, stranger: Caller
) -> None:
    allowed = PUBLIC_PERMISSIONS if is_public else frozenset[Permission]()
    for caller in (stranger, await make_user()):
        assert await refused(caller, OF_PROJECTS, is_public=is_public) == without(OF_PROJECTS, allowed)


async def test_only_administrators_get_in_where_it_concerns_the_system(
    admin: Caller, make_user: MakeUser, stranger: Caller
) -> None:
    everything = without(OF_SYSTEM, frozenset())
    for caller in (stranger, await make_user(Role.PROJECT_ADMIN)):
        assert await refused(caller, OF_SYSTEM, is_public=False) == everything
    harmless = [route for route in OF_SYSTEM if route.method == "GET"]
    assert await refused(admin, harmless, is_public=False) == set()


async def test_administrator_gets_in_everywhere(admin: Caller) -> None:
    assert await refused(admin, OF_PROJECTS, is_public=False) == set()


def test_page_shows_the_matrix_as_it_is() -> None:
    assert PAGE.read_text() == render(), "run `make docs`"


# Spot checks against what Harbor documents, in its words.
@pytest.mark.parametrize(
    ("role", "granted", "withheld"),
    [
        (Role.PROJECT_ADMIN, "member:create project:delete log:list robot:create", ""),
        (
            Role.MAINTAINER,
            "repository:delete artifact:delete tag:delete member:list",
            "member:create log:list",
        ),
        (
            Role.DEVELOPER,
            "repository:push artifact:create artifact-label:create",
            "repository:delete tag:delete",
        ),
        (Role.GUEST, "repository:pull member:list", "repository:push artifact-label:create"),
        (Role.LIMITED_GUEST, "repository:pull artifact:read", "member:list label:list robot:list"),
    ],
)
def test_roles_are_those_of_harbor(role: Role, granted: str, withheld: str) -> None:
    permissions = {permission.value for permission in ROLE_PERMISSIONS[role]}
    assert set(granted.split()) <= permissions
    assert permissions.isdisjoint(withheld.split())
