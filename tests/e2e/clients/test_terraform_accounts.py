"""Users and robots by Terraform: the requests of Harbor's provider, in its shapes."""

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from tests.e2e.clients import content
from tests.e2e.clients.registry import Registry
from tests.e2e.clients.terraform import Provider, project_body, user_body
from tests.e2e.clients.wire import Account, Wire

PASSWORD, OTHER = "Terraform-password-1", "Terraform-password-2"
PERMISSIONS: list[dict[str, Any]] = [
    {"access": [{"action": "create", "resource": "label"}], "kind": "system", "namespace": "/"},
    {
        "access": [
            {"action": "push", "resource": "repository"},
            {"action": "pull", "resource": "repository", "effect": "allow"},
        ],
        "kind": "project",
        "namespace": "*",
    },
]


@pytest.fixture
def provider(registry: Registry) -> Provider:
    return Provider(registry.address, registry.admin)


@pytest.fixture
def name() -> str:
    return f"terraform-{uuid4().hex[:8]}"


@pytest.fixture
def project(provider: Provider, name: str) -> str:
    """The id that Terraform keeps of a project."""
    return provider.create("/projects", project_body(name))


def test_user_is_applied_twice_and_destroyed(provider: Provider, registry: Registry, name: str) -> None:
    user = provider.create("/users", user_body(name, PASSWORD))
    shown = provider.read(user)
    assert (shown["username"], shown["realname"], shown["email"]) == (name, "A User", f"{name}@example.org")
    promoted = user_body(name, OTHER, sysadmin_flag=True) | {"realname": "B User"}
    for path in (user, f"{user}/sysadmin", f"{user}/password"):
        provider.update(path, promoted)
    shown = provider.read(user)
    assert (shown["realname"], shown["sysadmin_flag"]) == ("B User", True)
    itself = Provider(registry.address, Account(name, OTHER))
    assert itself.read("/users/current")["username"] == name
    provider.update(f"{user}/sysadmin", user_body(name, PASSWORD))
    assert not provider.read(user)["sysadmin_flag"]
    provider.destroy(user)
    assert provider.is_gone(user)


def test_robot_of_the_system_is_applied_twice_and_destroyed(
    provider: Provider, registry: Registry, project: str, name: str
) -> None:
    wanted = {
        "name": name,
        "level": "system",
        "description": "pushes",
        "duration": -1,
        "permissions": PERMISSIONS,
    }
    made = provider.send("POST", "/robots", wanted, expected=201)
    robot = made.headers["location"].removeprefix("/api/v2.0")
    assert robot == f"/robots/{made.json()['id']}"
    prefix = provider.read("/configurations")["robot_name_prefix"]["value"]
    shown = provider.read(robot)
    assert (shown["name"], shown["level"], shown["duration"]) == (f"{prefix}{name}", "system", -1)
    assert by_place(shown["permissions"]) == by_place(PERMISSIONS)
    Wire(registry.address, Account(shown["name"], made.json()["secret"]).basic).push(
        f"{name}/app", content.image(size=100), "v1"
    )
    fewer = wanted | {"name": shown["name"], "permissions": PERMISSIONS[1:], "disable": True}
    del fewer["description"]
    provider.update(robot, fewer)
    shown = provider.read(robot)
    assert (shown["disable"], shown["description"], len(shown["permissions"])) == (True, "", 1)
    listed = provider.pages("/robots", "&q=Level=system")
    assert robot in {f"/robots/{found['id']}" for found in listed}
    provider.destroy(robot)
    assert provider.is_gone(robot)
    assert provider.read(project)["repo_count"] == 1


def by_place(permissions: Any) -> dict[str, set[tuple[str, str]]]:
    """Terraform compares sets: neither order nor an effect that was not asked for counts."""
    return {
        permission["namespace"]: {(access["resource"], access["action"]) for access in permission["access"]}
        for permission in permissions
    }


def test_robot_of_a_project_with_a_secret_of_its_own(
    provider: Provider, registry: Registry, project: str, name: str
) -> None:
    access = [{"action": action, "resource": "repository"} for action in ("pull", "push")]
    wanted = {
        "name": "ci",
        "level": "project",
        "duration": 30,
        "permissions": [{"access": access, "kind": "project", "namespace": name}],
    }
    robot = provider.create("/robots", wanted)
    provider.send("PATCH", robot, {"secret": "Secret-of-terraform-1"})
    shown = provider.read(robot)
    assert shown["name"].split(f"{shown['permissions'][0]['namespace']}+")[1] == "ci"
    account = Account(shown["name"], "Secret-of-terraform-1")
    Wire(registry.address, account.basic).push(f"{name}/app", content.image(size=100), "v1")
    provider.update(robot, wanted | {"name": shown["name"], "duration": 60, "description": "changed"})
    shown = provider.read(robot)
    assert (shown["duration"], shown["description"]) == (60, "changed")
    number = project.removeprefix("/projects/")
    listed = provider.pages("/robots", f"&q=Level=project,ProjectID={number}")
    assert [f"/robots/{found['id']}" for found in listed] == [robot]
    provider.destroy(robot)
    assert provider.is_gone(robot)


def test_a_session_instead_of_a_password_shows_the_token_of_a_refusal(
    provider: Provider, registry: Registry, name: str
) -> None:
    login = urlencode({"principal": registry.admin.name, "password": registry.admin.password}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    opened = registry.anyone.send("POST", "/c/login", headers=form, body=login)
    session = opened.headers["set-cookie"].partition(";")[0].removeprefix("sid=")
    by_session = Provider(registry.address, session=session)
    project = by_session.create("/projects", project_body(name))
    by_session.update(project, project_body(name, public="true"))
    assert provider.read(project)["metadata"]["public"] == "true"
    by_session.destroy(project)
    assert by_session.is_gone(project)


def test_data_sources(provider: Provider, project: str, name: str) -> None:
    (found,) = provider.read(f"/projects?name={name}")
    assert (f"/projects/{found['project_id']}", found.get("registry_id")) == (project, None)
    assert name in {each["name"] for each in provider.pages("/projects")}
    user = provider.create("/users", user_body(name, PASSWORD))
    users = provider.pages("/users", f"&q=username={name},email={name}@example.org")
    assert [f"/users/{each['user_id']}" for each in users] == [user]
    assert name in {each["username"] for each in provider.pages("/users")}
    assert provider.pages("/users", f"&q=username={name},email=nobody@example.org") == []
    # A data source of a project asks for its scanner, and reads 404 as none.
    assert provider.is_gone(f"{project}/scanner")
