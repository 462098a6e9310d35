"""What a caller may do where: mounting shows nothing to who may not pull, and no answer tells what exists."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import encode_basic_auth

from app.access import Role
from app.events import Cause
from app.members.assign import assign_role
from app.projects.create import create_project
from tests.conformance.client import Answer, Repository, bearer
from tests.conformance.content import digest_of, image, unique
from tests.conformance.serving import settings_for
from tests.support.accounts import make_account
from tests.support.registry import Registry, running_registry
from tests.support.servers import Databases

PASSWORD = "Alices-password-1"
CAUSE = Cause(username="admin")


@dataclass(frozen=True)
class House:
    """A registry with projects, and Alice, who is somebody in some of them."""

    registry: Registry

    @property
    def alice(self) -> dict[str, str]:
        return {"Authorization": encode_basic_auth("alice", PASSWORD)}

    def as_admin(self, name: str) -> Repository:
        return Repository(self.registry, name, self.registry.basic)

    def as_anybody(self, name: str) -> Repository:
        return Repository(self.registry, name)

    def as_alice(self, name: str) -> Repository:
        return Repository(self.registry, name, self.alice)

    async def with_token(self, name: str, *scopes: str) -> Repository:
        """Alice with a token, as clients come; for the repository alone unless more is asked for."""
        wanted = scopes or (f"repository:{name}:pull,push,delete",)
        return Repository(self.registry, name, bearer(await self.registry.token(*wanted, auth=self.alice)))


@pytest.fixture(scope="module")
async def house(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    with databases.fresh(migrated=True) as url:
        async with running_registry(settings_for(url, tmp_path_factory.mktemp("house"))) as registry:
            await furnish(registry)
            yield House(registry)


async def furnish(registry: Registry) -> None:
    async with registry.resources.database.transaction() as tx:
        await make_account(tx, "alice", PASSWORD)
        for project in ("open", "secret", "hers", "read"):
            await create_project(tx, project, CAUSE, is_public=project == "open")
        await assign_role(tx, "hers", "alice", role=Role.DEVELOPER)
        await assign_role(tx, "read", "alice", role=Role.GUEST)


async def mount(repo: Repository, digest: str, source: str) -> Answer:
    return await repo.send("POST", f"blobs/uploads/?mount={digest}" + (f"&from={source}" if source else ""))


@pytest.mark.parametrize(
    ("project", "may_mount"), [("open", True), ("read", True), ("hers", True), ("secret", False)]
)
@pytest.mark.parametrize("is_named", [True, False], ids=["from", "anonymous"])
@pytest.mark.parametrize("by_token", [True, False], ids=["token", "basic"])
async def test_end_11_mount_only_from_where_the_caller_may_pull(
    house: House, project: str, may_mount: bool, is_named: bool, by_token: bool
) -> None:
    digest = await house.as_admin(f"{project}/source").push_blob(unique())
    repo = await house.with_token("hers/target") if by_token else house.as_alice("hers/target")
    answer = await mount(repo, digest, f"{project}/source" if is_named else "")
    assert answer.status == (201 if may_mount else 202)
    assert (await repo.head(f"blobs/{digest}")).status == (200 if may_mount else 404)


async def test_refused_mount_looks_like_that_of_a_missing_blob(house: House) -> None:
    there = await house.as_admin("secret/source").push_blob(unique())
    repo = await house.with_token("hers/target")
    answers = [
        await mount(repo, digest, source)
        for digest in (there, digest_of(unique()))
        for source in ("secret/source", "")
    ]
    assert [(answer.status, answer.body, sorted(answer.headers)) for answer in answers] == [
        (202, b"", sorted(answers[0].headers))
    ] * 4


@pytest.mark.parametrize("name", ["secret/there", "secret/missing", "nowhere/at/all"])
async def test_stranger_learns_nothing_of_what_exists(house: House, name: str) -> None:
    digest = await house.as_admin("secret/there").push(image(), "latest")
    layer = digest_of(image().blobs[1])
    calls = [
        ("GET", "manifests/latest"),
        ("HEAD", f"manifests/{digest}"),
        ("GET", f"blobs/{layer}"),
        ("GET", "tags/list"),
        ("GET", f"referrers/{digest}"),
        ("POST", "blobs/uploads/"),
        ("PUT", "manifests/latest"),
        ("DELETE", "manifests/latest"),
        ("DELETE", f"blobs/{layer}"),
    ]
    token = await house.with_token(name)
    for method, path in calls:
        denied = await house.as_alice(name).send(method, path)
        assert denied.status == 403
        for anonymous in (await house.as_anybody(name).send(method, path), await token.send(method, path)):
            assert anonymous.status == 401
            assert f'scope="repository:{name}:' in anonymous.headers["WWW-Authenticate"]
            assert method == "HEAD" or (denied.code, anonymous.code) == ("DENIED", "UNAUTHORIZED")


async def test_reader_may_pull_and_no_more(house: House) -> None:
    digest = await house.as_admin("read/there").push(image(), "latest")
    for repo in (house.as_alice("read/there"), await house.with_token("read/there")):
        assert (await repo.get("manifests/latest")).status == 200
        assert (await repo.get(f"blobs/{digest_of(image().blobs[1])}")).status == 200
        for method, path in (
            ("POST", "blobs/uploads/"),
            ("DELETE", f"manifests/{digest}"),
            ("PUT", "manifests/x"),
        ):
            assert (await repo.send(method, path)).status in {401, 403}
    assert (await house.as_admin("read/there").get("tags/list")).json()["tags"] == ["latest"]


async def test_public_project_may_be_pulled_by_anybody_and_pushed_by_nobody(house: House) -> None:
    await house.as_admin("open/there").push(image(), "latest")
    anonymous_token = Repository(house.registry, "open/there", bearer(await anonymous(house, "open/there")))
    for repo in (house.as_anybody("open/there"), anonymous_token, house.as_alice("open/there")):
        assert (await repo.get("manifests/latest")).body == image().body
        assert (await repo.send("POST", "blobs/uploads/")).status in {401, 403}


async def anonymous(house: House, name: str) -> str:
    answer = await house.as_anybody(name).get(
        f"/service/token?service=roadstead&scope=repository:{name}:pull,push"
    )
    assert answer.status == 200
    return str(answer.json()["token"])


async def test_session_of_another_user_in_the_same_repository(house: House) -> None:
    """Sessions are for those who may push to the repository, under its own name alone."""
    session = await house.as_admin("secret/there").start()
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        assert (await house.as_alice("secret/there").send(method, session)).status == 403
        moved = session.replace("/secret/there/", "/hers/target/")
        target = f"{moved}?digest={digest_of(b'')}" if method == "PUT" else moved
        assert (await house.as_alice("hers/target").send(method, target)).status == 404
    assert (await house.as_admin("secret/there").get(session)).status == 204


async def test_catalog_is_not_for_everybody(house: House) -> None:
    await house.as_admin("secret/there").push_blob(b"something")
    for repo in (house.as_anybody("x"), house.as_alice("x")):
        answer = await repo.get("/v2/_catalog")
        assert answer.status in {401, 403} or not [
            n for n in answer.json()["repositories"] if n.startswith("secret/")
        ]
