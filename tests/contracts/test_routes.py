"""Every route asks for a permission, and none answers who has not shown that he has it."""

import importlib
import pkgutil
import re
from collections.abc import AsyncIterator
from typing import TypeAlias

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

import app
from app.access import Permission
from app.access.routing import Route
from app.main import ROUTES, build
from app.resources import open_resources
from app.settings import Settings

# Routes that let everybody in, known or not, and show what the caller may see: each is a decision, too.
OPEN_TO_EVERYBODY = {
    "GET /api/v2.0/systeminfo",
    "GET /api/v2.0/repositories",
    "GET /api/v2.0/projects",
    "GET /api/v2.0/labels",
    "GET /api/v2.0/labels/{label_id}",
    "GET /api/v2.0/search",
    "GET /api/v2.0/blobs/url",
    "POST /api/v2.0/blobs/urls",
    "GET /api/v2.0/blobs/{digest}/url",
}
OPEN = {Permission.ANYONE, Permission.EVERYBODY}

# A route that anyone may use is a decision: it stands here too.
OPEN_TO_ANYONE = {
    "GET /healthz",
    "GET /readyz",
    "GET /service/token",
    "POST /service/token",
    "POST /c/login",
    "GET /c/log_out",
    "GET /api/v2.0/openapi.json",
    "GET /api/v2.0/docs",
    "GET /api/v2.0/health",
    "GET /api/v2.0/ping",
    "GET /api/v2.0/systeminfo/getcert",
    "GET /api/version",
    "GET /api/v2.0/blobs/{digest}/content",  # by a signature
    "PUT /v2/_parts/{upload}/{part}",  # likewise
}

VALUES = {
    "name": "private/app",
    "digest": "sha256:" + "a" * 64,
    "reference": "latest",
    "tag": "latest",
    "upload_id": "00000000-0000-4000-8000-000000000000",
    "project_name_or_id": "private",
    "project_name": "private",
    "repository_name": "app",
}

Client: TypeAlias = TestClient[web.Request, web.Application]


def name_of(route: Route) -> str:
    return f"{route.method} {re.sub(r':[^{}]*}', '}', route.path)}"


def address_of(route: Route) -> str:
    return re.sub(r"{(\w+)(:[^{}]*)?}", lambda match: VALUES.get(match[1], "1"), route.path)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Client]:
    async with open_resources(settings) as resources, TestClient(TestServer(build(resources))) as opened:
        yield opened


def test_only_these_routes_are_open_to_anyone() -> None:
    assert {name_of(route) for route in ROUTES if route.permission is Permission.ANYONE} == OPEN_TO_ANYONE


def test_only_these_routes_look_at_the_caller_themselves() -> None:
    everybody = {name_of(route) for route in ROUTES if route.permission is Permission.EVERYBODY}
    assert everybody == OPEN_TO_EVERYBODY


def test_every_route_of_every_slice_is_mounted() -> None:
    modules = [
        info.name for info in pkgutil.walk_packages(app.__path__, "app.") if info.name.endswith("routes")
    ]
    declared = [route for name in modules for route in importlib.import_module(name).ROUTES]
    assert modules
    assert [name_of(route) for route in declared if route not in ROUTES] == []


async def test_nothing_is_mounted_that_is_not_a_route(client: Client) -> None:
    mounted = [
        f"{route.method} {route.resource.canonical}" for route in client.app.router.routes() if route.resource
    ]
    names = [f"{route.method} {re.sub(r':[^{}]*}', '}', path)}" for route in ROUTES for path in route.paths]
    heads = [name.replace("GET", "HEAD", 1) for name in names if name.startswith("GET ")]
    assert sorted(mounted) == sorted({*names, *heads})


async def test_a_stranger_is_challenged_everywhere_else(client: Client) -> None:
    guarded = [route for route in ROUTES if route.permission not in OPEN]
    answers = {name_of(route): await client.request(route.method, address_of(route)) for route in guarded}
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(answers, 401)
    challenged = {name: answer for name, answer in answers.items() if "/v2/" in answer.url.path[:4]}
    challenges = {n: answer.headers.get("WWW-Authenticate", "")[:13] for n, answer in challenged.items()}
    assert challenges == dict.fromkeys(challenged, "Bearer realm=")
