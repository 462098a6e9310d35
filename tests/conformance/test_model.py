"""Random pushes, tags, mounts and deletes, compared after each step with a model of a few lines."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conformance.client import Registry, Repository, bearer, open_repository
from tests.conformance.content import Content, artifact, digest_of, image, index, unique

STEPS = 60
TAGS = ("a", "a-b", "a.b", "B", "latest")


@dataclass
class Model:
    """What one repository should hold."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, Content] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def uses(self, blob: str) -> bool:
        return any(digest_of(data) == blob for content in self.manifests.values() for data in content.blobs)

    def lists(self, manifest: str) -> bool:
        return any(
            child.digest == manifest for content in self.manifests.values() for child in content.children
        )

    def referrers(self, subject: str) -> list[str]:
        named = {
            d: content.document.get("subject", {}).get("digest") for d, content in self.manifests.items()
        }
        return sorted(digest for digest, of in named.items() if of == subject)


class Walk:
    """One repository, its model, and a neighbour to mount from."""

    def __init__(self, repo: Repository, neighbour: Repository, seed: int) -> None:
        self.repo = repo
        self.neighbour = neighbour
        self.random = random.Random(seed)  # noqa: S311 - a test that can be repeated, not a secret
        self.model = Model()
        self.pool = [b"{}", *(unique(size) for size in (10, 70_000))]

    def pick(self, things: Any) -> Any:
        return self.random.choice(sorted(things)) if things else None

    async def push_blob(self) -> None:
        data = self.random.choice(self.pool)
        self.model.blobs[await self.repo.push_blob(data)] = data

    async def push_manifest(self) -> None:
        """An image, an artifact of something, or an index, of what may or may not be there."""
        layers = [self.random.choice(self.pool)]
        known = (
            self.model.manifests[self.pick(self.model.manifests)] if self.model.manifests else image(layers)
        )
        made = self.random.choice(
            [
                image(layers, config=self.pool[1]),
                artifact(payload=layers[0], subject=known.descriptor()),
                index([known], annotations={"step": str(self.random.random())}),
            ]
        )
        answer = await self.repo.put_manifest(made)
        is_whole = {digest_of(blob) for blob in made.blobs} <= self.model.blobs.keys() and {
            child.digest for child in made.children
        } <= self.model.manifests.keys()
        assert answer.status == (201 if is_whole else 404)
        if is_whole:
            self.model.manifests[made.digest] = made

    async def tag(self) -> None:
        digest = self.pick(self.model.manifests)
        if digest is not None:
            name = self.random.choice(TAGS)
            assert (await self.repo.put_manifest(self.model.manifests[digest], name)).status == 201
            self.model.tags[name] = digest

    async def untag(self) -> None:
        name = self.random.choice(TAGS)
        assert (await self.repo.delete(f"manifests/{name}")).status == (
            202 if name in self.model.tags else 404
        )
        self.model.tags.pop(name, None)

    async def delete_manifest(self) -> None:
        digest = self.pick(self.model.manifests)
        if digest is None:
            return
        is_listed = self.model.lists(digest)
        assert (await self.repo.delete(f"manifests/{digest}")).status == (405 if is_listed else 202)
        if not is_listed:
            del self.model.manifests[digest]
            self.model.tags = {name: of for name, of in self.model.tags.items() if of != digest}

    async def delete_blob(self) -> None:
        digest = digest_of(self.random.choice(self.pool))
        expected = 405 if self.model.uses(digest) else 202
        expected = expected if digest in self.model.blobs else 404
        assert (await self.repo.delete(f"blobs/{digest}")).status == expected
        if expected == 202:
            del self.model.blobs[digest]

    async def mount(self) -> None:
        data = self.random.choice(self.pool)
        digest = await self.neighbour.push_blob(data)
        answer = await self.repo.send("POST", f"blobs/uploads/?mount={digest}&from={self.neighbour.name}")
        assert answer.status == 201
        self.model.blobs[digest] = data
        assert (await self.neighbour.delete(f"blobs/{digest}")).status == 202

    async def compare(self) -> None:
        """Everything that was ever there is as the model has it."""
        for data in self.pool:
            answer = await self.repo.get(f"blobs/{digest_of(data)}")
            assert (answer.status, answer.body == data) == (
                (200, True) if digest_of(data) in self.model.blobs else (404, False)
            )
        for digest, content in self.model.manifests.items():
            assert (await self.repo.get(f"manifests/{digest}")).body == content.body
            found = [entry["digest"] for entry in await self.repo.referrers(digest)]
            assert sorted(found) == self.model.referrers(digest)
        for name in TAGS:
            answer = await self.repo.head(f"manifests/{name}")
            assert answer.headers.get("Docker-Content-Digest") == self.model.tags.get(name)
        if self.model.blobs:
            assert await self.repo.tags() == sorted(self.model.tags)


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 6))]
)
async def test_random_walk_agrees_with_the_model(target: Registry, other: Repository, seed: int) -> None:
    repo = await open_repository(target)
    scopes = (f"repository:{repo.name}:pull,push,delete", f"repository:{other.name}:pull")
    repo = Repository(target, repo.name, bearer(await target.token(*scopes)))
    walk = Walk(repo, other, seed)
    await walk.push_blob()
    actions = [walk.push_blob, walk.push_manifest, walk.push_manifest, walk.tag, walk.untag]
    actions += [walk.delete_manifest, walk.delete_blob, walk.mount]
    for _ in range(STEPS):
        await walk.random.choice(actions)()
        await walk.compare()
