"""Robots for the tests of them: what to ask for, and what they get to see."""

from typing import Any

from tests.management.client import Answer, Caller, unique
from tests.management.conftest import Project
from tests.support.registry import Registry

PULL = [{"resource": "repository", "action": "pull"}]
PUSH = [*PULL, {"resource": "repository", "action": "push"}]


def entry(namespace: str, access: list[dict[str, str]] = PULL) -> dict[str, Any]:
    return {"kind": "system" if namespace == "/" else "project", "namespace": namespace, "access": access}


def of_project(project: Project, access: list[dict[str, str]] = PULL, **fields: Any) -> dict[str, Any]:
    wanted = {"name": unique("ci"), "level": "project", "duration": -1}
    return wanted | {"permissions": [entry(project.name, access)]} | fields


def of_system(*permissions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "name": unique("ci"),
        "level": "system",
        "duration": -1,
        "permissions": list(permissions),
    } | fields


def caller_of(registry: Registry, made: Answer) -> Caller:
    assert made.status == 201, made.json
    return Caller(registry, made.json["name"], made.json["secret"])


async def status_of(caller: Caller, project: Project, *, method: str = "GET", token: str = "") -> int:
    """What a pull, or by POST a push, is answered, by Basic or with a token in hand."""
    path = "tags/list" if method == "GET" else "blobs/uploads/"
    headers = {"Authorization": f"Bearer {token}"} if token else caller.auth
    url = f"{caller.registry.url}/v2/{project.name}/app/{path}"
    async with caller.registry.session.request(method, url, headers=headers) as answer:
        return answer.status
