"""What is counted is what is there: after any sequence of changes, and when many come at once."""

import asyncio
import random
from collections import Counter

import pytest

from app.db import SQL
from app.manifests.recount import recount
from tests.conformance.client import Answer, Repository
from tests.conformance.content import Content, artifact, digest_of, image, index, unique
from tests.flows.quota import Counted, counted_project
from tests.management.client import API
from tests.support.registry import Registry

pytestmark = pytest.mark.slow

STEPS = 60
ROUNDS = 10
DRIFT = SQL("UPDATE quotas SET used_bytes = %(used)s WHERE project_id = %(id)s")
FORGET = (
    SQL("UPDATE manifests SET project_id = NULL WHERE project_id = %(id)s"),
    SQL("UPDATE manifest_blobs SET project_id = NULL WHERE project_id = %(id)s"),
    SQL("DELETE FROM project_blobs WHERE project_id = %(id)s"),
    SQL("UPDATE quotas SET used_bytes = 0 WHERE project_id = %(id)s"),
)


class Walk:
    """Random changes of three repositories of one project, which share what they hold."""

    def __init__(self, project: Counted, repos: list[Repository], seed: int) -> None:
        self.project = project
        self.repos = repos
        self.random = random.Random(seed)  # noqa: S311 - a test that can be repeated, not a secret
        self.blobs = [unique(size) for size in (1, 10, 1_000, 3_000, 70_000)]
        self.made: list[Content] = []

    def content(self) -> Content:
        layers = self.random.sample(self.blobs, self.random.randint(0, 3))
        made = self.random.choice(
            [
                image(layers, config=self.random.choice(self.blobs)),
                artifact(payload=self.random.choice(self.blobs), annotations={"n": str(len(self.made))}),
                index(self.made[-2:], annotations={"n": str(self.random.randint(0, 3))}),
            ]
        )
        self.made.append(made)
        return made

    async def push(self) -> None:
        await self.random.choice(self.repos).push(self.content(), *self.random.sample("abc", 1))

    async def push_again(self) -> None:
        if self.made:
            await self.random.choice(self.repos).push(self.random.choice(self.made), "again")

    async def push_without_blobs(self) -> None:
        answer = await self.random.choice(self.repos).put_manifest(self.content(), "hasty")
        assert answer.status in {201, 404}
        if answer.status == 404:
            self.made.pop()

    async def push_what_does_not_fit(self) -> None:
        used = await self.project.used()
        await self.project.limit(used)
        made = artifact(payload=b"x", annotations={"refused": str(self.random.random())})
        repo = self.random.choice(self.repos)
        for blob in made.blobs:
            await repo.push_blob(blob)
        assert (await repo.put_manifest(made)).status == 403
        await self.project.limit(-1)

    async def mount(self) -> None:
        source, target = self.random.sample(self.repos, 2)
        digest = digest_of(self.random.choice(self.blobs))
        await target.send("POST", f"blobs/uploads/?mount={digest}&from={source.name}")

    async def delete_manifest(self) -> None:
        if self.made:
            digest = self.random.choice(self.made).digest
            answer = await self.random.choice(self.repos).delete(f"manifests/{digest}")
            assert answer.status in {202, 404, 405}

    async def delete_tag(self) -> None:
        await self.random.choice(self.repos).delete(f"manifests/{self.random.choice('abc')}")

    async def delete_artifact(self) -> None:
        """With its accessories and members, as the management API does."""
        if self.made:
            digest = self.random.choice(self.made).digest
            status = await self.manage("DELETE", self.random.choice(self.repos), f"/artifacts/{digest}")
            assert status in {200, 404, 412}

    async def delete_repository(self) -> None:
        if self.random.random() < 0.3:
            assert await self.manage("DELETE", self.random.choice(self.repos), "") in {200, 404}

    async def copy(self) -> None:
        if self.made:
            source, target = self.random.sample(self.repos, 2)
            name = f"{source.name}@{self.random.choice(self.made).digest}"
            assert await self.manage("POST", target, f"/artifacts?from={name}") in {201, 404}

    async def manage(self, method: str, repo: Repository, path: str) -> int:
        registry, name = self.project.registry, repo.name.partition("/")[2]
        url = f"{registry.url}{API}/projects/{self.project.name}/repositories/{name}{path}"
        async with registry.session.request(method, url, headers=registry.basic) as answer:
            return answer.status


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
async def test_random_walk_counts_what_is_there_after_every_step(project: Counted, seed: int) -> None:
    walk = Walk(project, await project.open("one", "two", "three"), seed)
    actions = [walk.push, walk.push, walk.push_again, walk.push_without_blobs, walk.push_what_does_not_fit]
    actions += [walk.mount, walk.copy, walk.delete_tag, walk.delete_manifest, walk.delete_manifest]
    actions += [walk.delete_artifact, walk.delete_repository]
    for _ in range(STEPS):
        await walk.random.choice(actions)()
        await project.used()
    for repo in walk.repos:
        await walk.manage("DELETE", repo, "")
    assert await project.used() == 0


@pytest.mark.parametrize("fits", [0, 1, 7, 20])
async def test_as_many_get_in_at_once_as_fit(project: Counted, fits: int) -> None:
    (repo,) = await project.open("app")
    made = [image([b"%05d" % n * 200], config=b"{}") for n in range(20)]
    for content in made:
        for blob in content.blobs:
            await repo.push_blob(blob)
    # The configuration is shared, and counted with the first.
    room = fits * (len(made[0].body) + 1_000) + 2
    await project.limit(room)
    answers = await asyncio.gather(*(repo.put_manifest(content) for content in made))
    assert sorted(answer.status for answer in answers) == [201] * fits + [403] * (20 - fits)
    assert await project.used() == (room if fits else 0)


async def test_new_blob_of_many_pushes_at_once_counts_once(project: Counted) -> None:
    repos = await project.open(*(f"repo-{n}" for n in range(12)))
    for _ in range(ROUNDS):
        before, layers = await project.used(), [unique(2_000) for _ in range(3)]
        made = [image(layers, config=b"%d" % n) for n in range(12)]
        for repo, content in zip(repos, made, strict=True):
            for blob in content.blobs:
                await repo.push_blob(blob)
        pushes = [repo.put_manifest(content) for repo, content in zip(repos, made, strict=True)]
        answers = await asyncio.gather(*pushes)
        assert {answer.status for answer in answers} == {201}
        assert 6_000 < await project.used() - before < 6_000 + sum(len(content.body) + 2 for content in made)


async def test_deletes_and_pushes_of_shared_blobs_at_once(project: Counted) -> None:
    """Some hold what others let go: each order of events leaves the right count, and nobody fails."""
    repos = await project.open("one", "two", "three", "four")
    shared = [unique(1_000) for _ in range(4)]
    made = [image(shared[n:] + shared[:n], config=b"config %d" % n) for n in range(4)]
    for repo in repos:
        for content in made:
            await repo.push(content, "latest")
    seen = Counter[int]()
    for step in range(ROUNDS * 3):
        chance = random.Random(step)  # noqa: S311 - repeatable
        requests = []
        for repo in repos:
            for content in chance.sample(made, 3):
                is_push = chance.random() < 0.5
                requests.append(
                    repo.put_manifest(content, "latest")
                    if is_push
                    else repo.delete(f"manifests/{content.digest}")
                )
        answers: list[Answer] = await asyncio.gather(*requests)
        seen.update(answer.status for answer in answers)
        await project.used()
    assert set(seen) <= {201, 202, 404}, seen
    assert seen[201] > ROUNDS
    assert seen[202] > ROUNDS


async def test_limit_that_is_lowered_during_pushes_is_kept_from_then_on(project: Counted) -> None:
    (repo,) = await project.open("app")
    made = [image([unique(1_000)], config=b"{}") for _ in range(20)]
    for content in made:
        for blob in content.blobs:
            await repo.push_blob(blob)
    pushes = [asyncio.create_task(repo.put_manifest(content)) for content in made]
    await asyncio.wait(pushes, return_when=asyncio.FIRST_COMPLETED)
    await project.limit(1)
    when_lowered = await project.used()
    statuses = {answer.status for answer in await asyncio.gather(*pushes)}
    assert statuses <= {201, 403}
    assert await project.used() == when_lowered


async def test_recount_counts_what_an_older_version_pushed(project: Counted, shared: Registry) -> None:
    (repo,) = await project.open("app")
    content = image([unique(3_000)])
    await repo.push(content)
    right = await project.used()
    assert await recount(shared.resources) == 0
    async with shared.resources.database.transaction() as tx:
        for statement in FORGET:
            await tx.run(statement, id=project.id)
    assert await recount(shared.resources) == 1
    assert await project.used() == right
    assert await recount(shared.resources) == 0
    assert (await repo.delete(f"manifests/{content.digest}")).status == 202
    assert await project.used() == 0


async def test_recount_corrects_a_count_that_drifted_also_over_the_limit(shared: Registry) -> None:
    project = await counted_project(shared)
    (repo,) = await project.open("app")
    await repo.push(image([unique(3_000)]))
    right = await project.used()
    await project.limit(5)
    async with shared.resources.database.transaction() as tx:
        await tx.run(DRIFT, id=project.id, used=7)
    assert await recount(shared.resources) == 1
    assert await project.used() == right
