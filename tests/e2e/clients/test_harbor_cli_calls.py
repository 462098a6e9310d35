"""harbor-cli: the requests of its commands, as Harbor's client in Go puts them.

The program is not needed. Numbers that nobody gave go out as 0, what is empty or false is left out of
bodies, whole objects come back with one field changed, and moments that are not set are of the year 1.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest

from tests.e2e.clients import content
from tests.e2e.clients.registry import Registry
from tests.e2e.clients.wire import Account, Answer, Wire
from tests.support.eventually import until

NEVER = "0001-01-01T00:00:00.000Z"
EVERYTHING: dict[str, Any] = {"page": 0, "page_size": 0}


@dataclass(frozen=True)
class Client:
    """The client in Go, as one account."""

    address: str
    account: Account

    def get(self, path: str, *, is_name: bool | None = None, **query: Any) -> Any:
        return self.send("GET", path, is_name=is_name, **query).json()

    def send(
        self, method: str, path: str, body: Any = None, *, is_name: bool | None = None, **query: Any
    ) -> Answer:
        answer = self.ask(method, path, body, is_name=is_name, **query)
        assert answer.status in {200, 201}, (method, path, query, answer)
        return answer

    def ask(
        self, method: str, path: str, body: Any = None, *, is_name: bool | None = None, **query: Any
    ) -> Answer:
        headers = {"Accept": "application/json"}
        if is_name is not None:
            headers["X-Is-Resource-Name"] = str(is_name).lower()
        if body is not None:
            headers["Content-Type"] = "application/json"
        target = f"/api/v2.0{path}?{urlencode(query)}" if query else f"/api/v2.0{path}"
        content = None if body is None else json.dumps(body).encode()
        return Wire(self.address, self.account.basic).send(method, target, headers=headers, body=content)


@pytest.fixture
def cli(registry: Registry) -> Client:
    return Client(registry.address, registry.admin)


@pytest.fixture
def name() -> str:
    return f"cli-{uuid4().hex[:8]}"


@pytest.fixture
def project(cli: Client, name: str) -> int:
    wanted = {"project_name": name, "public": False, "storage_limit": -1, "metadata": {"public": "false"}}
    cli.send("POST", "/projects", wanted)
    return int(cli.get(f"/projects/{name}", is_name=True)["project_id"])


@pytest.mark.usefixtures("project")
def test_login_of_a_user_and_of_a_robot(cli: Client, name: str) -> None:
    assert cli.get("/users/current")["username"] == cli.account.name
    made = cli.send("POST", "/robots", robot_of(name, [("repository", "pull")])).json()
    robot = Client(cli.address, Account(made["name"], made["secret"]))
    assert robot.ask("GET", "/users/current").status not in {401, 403}
    robot.get("/projects", page=1, page_size=1)
    assert robot.send("GET", "/ping").body == b"Pong"
    wrong = Client(cli.address, Account(made["name"], "Wrong-password-1"))
    assert wrong.ask("GET", "/users/current").status == 401


def test_projects_are_listed_viewed_configured_and_deleted(cli: Client, project: int, name: str) -> None:
    private = cli.get("/projects", public="false", **EVERYTHING)
    assert project in {found["project_id"] for found in private}
    assert [found["name"] for found in cli.get("/projects", name=name, **EVERYTHING)] == [name]
    assert cli.get(f"/projects/{project}", is_name=False)["name"] == name
    assert cli.get("/search", q=name)["project"][0]["name"] == name
    summary = cli.get(f"/projects/{name}/summary", is_name=True)
    assert summary["quota"] == {"hard": {"storage": -1}, "used": {"storage": 0}}
    metadata = cli.get(f"/projects/{name}", is_name=True)["metadata"] | {"public": "true", "severity": "high"}
    cli.send("PUT", f"/projects/{name}", {"metadata": metadata}, is_name=True)
    assert cli.get(f"/projects/{name}/metadatas/", is_name=True) == metadata
    cli.send("DELETE", f"/projects/{name}", is_name=True)
    assert cli.ask("GET", f"/projects/{name}", is_name=True).status == 404


def test_a_project_is_deleted_with_all_that_is_in_it(
    cli: Client, registry: Registry, project: int, name: str
) -> None:
    rule = {
        "tag_selectors": [{"decoration": "matches", "pattern": "v*"}],
        "scope_selectors": {"repository": [{"decoration": "repoMatches", "pattern": "**"}]},
    }
    cli.send("POST", f"/projects/{name}/immutabletagrules", rule)
    registry.wire.push(f"{name}/team/app", content.image(size=100), "v1")
    for found in cli.get(f"/projects/{name}/immutabletagrules", is_name=True):
        cli.send("DELETE", f"/projects/{name}/immutabletagrules/{found['id']}", is_name=True)
    for found in cli.get(f"/projects/{name}/repositories", **EVERYTHING):
        below = quote(found["name"].removeprefix(f"{name}/"), safe="")
        cli.send("DELETE", f"/projects/{name}/repositories/{below}")
    cli.send("DELETE", f"/projects/{project}", is_name=False)


def test_a_user_is_found_by_name_among_all(cli: Client, name: str) -> None:
    for number in range(11):
        wanted = {
            "email": f"{name}-{number}@example.org",
            "realname": "A User",
            "password": "Harbor-password-1",
            "username": f"{name}-{number}",
        }
        cli.send("POST", "/users", wanted)
    ids = {found["username"]: found["user_id"] for found in cli.get("/users", **EVERYTHING)}
    for number in range(11):
        path = f"/users/{ids[f'{name}-{number}']}"
        cli.send("PUT", f"{path}/sysadmin", {"sysadmin_flag": True})
        cli.send("PUT", f"{path}/password", {"new_password": "Harbor-password-2"})
        cli.send("DELETE", path)


def robot_of(project: str, accesses: list[tuple[str, str]]) -> dict[str, Any]:
    access = [{"action": action, "resource": resource} for resource, action in accesses]
    return {
        "duration": 30,
        "level": "project",
        "name": "ci",
        "permissions": [{"access": access, "kind": "project", "namespace": project}],
    }


def test_a_robot_with_all_permissions_is_found_by_name_changed_and_deleted(
    cli: Client, project: int, name: str
) -> None:
    grantable = [(item["resource"], item["action"]) for item in cli.get("/permissions")["project"]]
    made = cli.send("POST", "/robots", robot_of(name, grantable)).json()
    prefix = cli.get("/configurations")["robot_name_prefix"]["value"]
    assert made["name"] == f"{prefix}{name}+ci"
    of_project = f"Level%3Dproject%2CProjectID%3D{project}"
    (listed,) = cli.get("/robots", q=of_project, **EVERYTHING)
    (found,) = cli.get("/robots", q=f"{of_project}%2Cname={name}%2Bci", **EVERYTHING)
    assert listed["id"] == found["id"] == made["id"]
    assert len(found["permissions"][0]["access"]) == len(grantable)
    fewer = [{"kind": "project", "namespace": name, "access": [{"resource": "tag", "action": "list"}]}]
    wanted = {key: found[key] for key in ("duration", "editable", "id", "level", "name")}
    times = {"creation_time": NEVER, "update_time": NEVER}
    cli.send("PUT", f"/robots/{found['id']}", {**wanted, **times, "permissions": fewer})
    assert len(cli.get(f"/robots/{found['id']}")["permissions"][0]["access"]) == 1
    assert cli.send("PATCH", f"/robots/{found['id']}", {}).json()["secret"] != made["secret"]
    cli.send("DELETE", f"/robots/{found['id']}")


def test_a_robot_of_the_system_with_all_permissions(cli: Client, name: str) -> None:
    grantable = cli.get("/permissions")
    permissions = [
        {"access": grantable["project"], "kind": "project", "namespace": "*"},
        {"access": grantable["system"], "kind": "system", "namespace": "/"},
    ]
    wanted = {"duration": -1, "level": "system", "name": name, "permissions": permissions}
    made = cli.send("POST", "/robots", wanted).json()
    (found,) = cli.get("/robots", q=f"name={name}", **EVERYTHING)
    assert (found["id"], found["expires_at"]) == (made["id"], -1)
    cli.send("DELETE", f"/robots/{found['id']}")


def test_artifacts_are_tagged_and_labelled(cli: Client, registry: Registry, project: int, name: str) -> None:
    image = registry.wire.push(f"{name}/app", content.image(size=100), "v1")
    artifacts = f"/projects/{name}/repositories/app/artifacts"
    (found,) = cli.get(artifacts, **EVERYTHING)
    assert found["digest"] == image.digest
    cli.send("POST", f"{artifacts}/v1/tags", {"name": "v2", "pull_time": NEVER, "push_time": NEVER})
    assert {tag["name"] for tag in cli.get(f"{artifacts}/v1/tags")} == {"v1", "v2"}
    cli.send("DELETE", f"{artifacts}/v1/tags/v2")
    times = {"creation_time": NEVER, "update_time": NEVER}
    cli.send(
        "POST", "/labels", {"color": "#FFFFFF", "name": name, "project_id": project, "scope": "p", **times}
    )
    (label,) = cli.get("/labels", scope="p", project_id=project, **EVERYTHING)
    cli.send("POST", f"{artifacts}/v1/labels", cli.get(f"/labels/{label['id']}"))
    assert [each["name"] for each in cli.get(f"{artifacts}/v1", with_label="true")["labels"]] == [name]
    cli.send("DELETE", f"{artifacts}/v1/labels/{label['id']}")
    repository = cli.get(f"/projects/{name}/repositories/app")
    cli.send("PUT", f"/projects/{name}/repositories/app", repository | {"description": "an app"})
    assert cli.get(f"/projects/{name}/repositories/app")["description"] == "an app"
    cli.send("DELETE", f"{artifacts}/{quote(image.digest)}")


def test_the_quota_of_a_project_is_found_among_all(cli: Client, project: int) -> None:
    (quota,) = (found for found in cli.get("/quotas", page=1, page_size=100) if found["ref"]["id"] == project)
    cli.send("PUT", f"/quotas/{quota['id']}", {"hard": {"storage": 50 << 30}})
    assert cli.get(f"/quotas/{quota['id']}")["hard"] == {"storage": 50 << 30}
    assert quota["id"] in {found["id"] for found in cli.get("/quotas", **EVERYTHING)}


def test_what_was_configured_is_applied_again(cli: Client) -> None:
    shown = cli.get("/configurations")
    cli.send("PUT", "/configurations", {key: item["value"] for key, item in shown.items()})
    assert cli.get("/configurations") == shown


@pytest.mark.parametrize(
    "path", ["/health", "/systeminfo", "/systeminfo/volumes", "/statistics", "/auditlog-exts/events"]
)
def test_what_is_shown_of_the_system(cli: Client, path: str) -> None:
    assert cli.get(path)


@pytest.mark.usefixtures("project")
async def test_logs_are_shown(cli: Client, name: str) -> None:
    async def operations() -> set[str]:
        return {log["operation"] for log in cli.get(f"/projects/{name}/auditlog-exts", **EVERYTHING)}

    await until(operations, lambda found: "create" in found)
    for path in ("/auditlog-exts", "/audit-logs"):
        assert 0 < len(cli.get(path, page=1, page_size=10)) <= 10


def test_jobs_are_looked_after(cli: Client) -> None:
    assert cli.get("/schedules", **EVERYTHING)
    assert cli.get("/schedules/all/paused") == {"paused": False}
    pools = cli.get("/jobservice/pools")
    for pool_id in ("all", *(pool["worker_pool_id"] for pool in pools)):
        assert cli.get(f"/jobservice/pools/{pool_id}/workers")
    for job_type in ("WRITE_AUDIT_LOG", "all"):
        for action, is_paused in (("pause", True), ("resume", False)):
            cli.send("PUT", f"/jobservice/queues/{job_type}", {"action": action})
            queues = {queue["job_type"]: queue for queue in cli.get("/jobservice/queues")}
            assert queues["WRITE_AUDIT_LOG"]["paused"] == is_paused
    cli.send("PUT", "/jobservice/jobs/all")
    assert cli.ask("PUT", "/jobservice/jobs/none").status == 404
    assert cli.ask("GET", "/jobservice/jobs/none/log").status == 404
