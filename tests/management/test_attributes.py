"""What configs say is read by a job, once, and never stands in the way of anything."""

import json

import pytest

from app.db import SQL
from app.events import outbox
from app.jobs import DESCRIBE_ARTIFACTS, pending
from app.manifests.describe import describe_pushed
from app.oci.digest import Digest
from tests.conformance.content import Content, image, unique
from tests.conformance.serving import settings_for
from tests.management.client import Caller
from tests.management.conftest import Project, make_project
from tests.management.content import HELM, fresh_image, path_of, pusher
from tests.support.registry import Registry, running_registry
from tests.support.servers import Databases
from workers.subscriptions import SUBSCRIPTIONS

OWED = SQL("SELECT id FROM pending_jobs WHERE name = 'describe_artifacts' ORDER BY id")


async def owe(registry: Registry) -> list[str]:
    """Do as the relay does, but for this one job, and return what is owed."""
    async with registry.resources.database.transaction() as tx:
        events = await outbox.claim(tx, 10_000)
        owed = [
            (DESCRIBE_ARTIFACTS, event)
            for event in events
            if DESCRIBE_ARTIFACTS in SUBSCRIPTIONS[type(event.event)]
        ]
        await pending.insert(tx, owed)
        return await tx.values(OWED)


async def attributes(caller: Caller, name: str, content: Content) -> object:
    pushed = await pusher(caller, name).push(content, "v1")
    await describe_pushed(caller.registry.resources, await owe(caller.registry))
    return (await caller.get(path_of(name, pushed))).json.get("extra_attrs")


async def test_image_is_described(admin: Caller, project: Project) -> None:
    config = {"config": {"Cmd": ["/app"]}, "author": "somebody", "created": "2026-01-01T00:00:00Z"}
    assert await attributes(admin, f"{project.name}/app", fresh_image(config)) == {
        "architecture": "amd64",
        "os": "linux",
        "author": "somebody",
        "created": "2026-01-01T00:00:00Z",
        "config": {"Cmd": ["/app"]},
    }


async def test_chart_is_described_by_its_metadata(admin: Caller, project: Project) -> None:
    content = image([unique()], kind=HELM, config=b'{"name": "app", "version": "1.0.0"}')
    assert await attributes(admin, f"{project.name}/chart", content) == {"name": "app", "version": "1.0.0"}


@pytest.mark.parametrize(
    "config",
    [b"not json", b"[1]", b'{"a": "\\ud800"}', b"{" + b" " * (1 << 20) + b"}"],
    ids=["no JSON", "no object", "half a character", "over 1 MB"],
)
async def test_config_that_says_nothing_is_no_error(admin: Caller, project: Project, config: bytes) -> None:
    assert await attributes(admin, f"{project.name}/app", image([unique()], config=config)) is None


async def test_character_that_postgresql_has_not_is_shown(admin: Caller, project: Project) -> None:
    content = fresh_image({"author": "a\0b"})
    shown = await attributes(admin, f"{project.name}/app", content)
    assert json.loads(json.dumps(shown))["author"] == "a\0b"


async def test_job_can_be_done_twice_and_for_what_is_gone(admin: Caller, project: Project) -> None:
    name, r = f"{project.name}/app", admin.registry.resources
    digest = await pusher(admin, name).push(fresh_image(), "v1")
    gone = await pusher(admin, name).push(fresh_image(), "v2")
    lost = fresh_image({"author": name})
    await pusher(admin, name).push(lost, "v3")
    assert (await admin.delete(path_of(name, gone))).status == 200
    await r.storage.delete(Digest(lost.document["config"]["digest"]))
    ids = await owe(admin.registry)
    assert await describe_pushed(r, ids) >= 1
    assert await describe_pushed(r, ids) == 0
    assert await owe(admin.registry) == []
    assert (await admin.get(path_of(name, digest))).json["extra_attrs"]["os"] == "linux"


async def test_copy_is_described_at_once(admin: Caller, project: Project, shared: Registry) -> None:
    content = fresh_image()
    described = await attributes(admin, f"{project.name}/app", content)
    name = f"{(await make_project(shared, is_public=False)).name}/app"
    await admin.post(path_of(name) + "/artifacts", **{"from": f"{project.name}/app:v1"})
    assert (await admin.get(path_of(name, "v1"))).json["extra_attrs"] == described


async def test_config_that_only_others_have_is_not_read(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with databases.fresh(migrated=True) as url:
        settings = settings_for(url, tmp_path_factory.mktemp("sparse"), manifests_sparse="allow-all")
        async with running_registry(settings) as registry:
            admin = Caller(registry, "admin", settings.admin_password)
            theirs = fresh_image({"config": {"Env": ["PASSWORD=secret"]}})
            await pusher(admin, "theirs/app").push(theirs)
            mine = pusher(admin, "mine/app")
            assert (await mine.put_manifest(theirs, "v1")).status == 201
            await describe_pushed(registry.resources, await owe(registry))
            shown = (await admin.get(path_of("mine/app", "v1"))).json
            assert "extra_attrs" not in shown or shown["extra_attrs"] is None, shown
            assert (await admin.get(path_of("mine/app", "v1") + "/additions/build_history")).status == 404
