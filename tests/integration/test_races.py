"""Pushes and deletions of one tag at once, on real connections: none is lost, and each says what it did."""

import asyncio
from collections import Counter

import pytest

from app.db import SQL
from tests.conformance.client import Repository, open_repository
from tests.conformance.content import Content, image
from tests.conformance.content import unique as unique_bytes
from tests.management.client import Caller, unique
from tests.support.registry import Registry

MANY = 8
ROUNDS = 6
MOVES = SQL("""
    SELECT payload->>'previous_digest' || ' ' || (payload->>'digest') FROM outbox
    WHERE type = 'tag.moved' AND payload->>'repository_name' = %(repository)s ORDER BY id
""")
CREATED = SQL("""
    SELECT type FROM outbox WHERE type IN ('project.created', 'repository.created')
        AND %(project)s IN (payload->>'project_name', split_part(payload->>'repository_name', '/', 1))
""")
PROTECT_EVERYTHING = {
    "action": "immutable",
    "template": "immutable_template",
    "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "**"}],
    "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]},
}


@pytest.fixture
async def repo(registry: Registry) -> Repository:
    return await open_repository(registry)


async def contents(repo: Repository) -> list[Content]:
    """Manifests that are there already: only their tag is still to be pushed."""
    made = [image([unique_bytes()]) for _ in range(MANY)]
    for content in made:
        await repo.push(content)
    return made


async def listed(registry: Registry, statement: SQL, **params: str) -> list[str]:
    async with registry.resources.database.autocommit() as statements:
        return await statements.values(statement, **params)


async def test_every_move_of_a_tag_is_told_and_they_form_a_chain(
    repo: Repository, registry: Registry
) -> None:
    made = await contents(repo)
    assert (await repo.put_manifest(made[0], "v1")).status == 201
    for _ in range(ROUNDS):
        answers = await asyncio.gather(*(repo.put_manifest(content, "v1") for content in made))
        assert {answer.status for answer in answers} == {201}
    moves = [move.split() for move in await listed(registry, MOVES, repository=repo.name)]
    assert len(moves) >= ROUNDS
    points_to = made[0].digest
    for previous, digest in moves:
        assert previous == points_to
        points_to = digest
    assert (await repo.head("manifests/v1")).headers["Docker-Content-Digest"] == points_to


async def test_first_pushes_of_a_tag_that_a_rule_protects_let_one_win(
    repo: Repository, registry: Registry
) -> None:
    made = await contents(repo)
    admin = Caller(registry, "admin", registry.resources.settings.admin_password)
    project = repo.name.partition("/")[0]
    rule = await admin.post(f"/projects/{project}/immutabletagrules", PROTECT_EVERYTHING)
    assert rule.status == 201
    for number in range(ROUNDS):
        answers = await asyncio.gather(*(repo.put_manifest(content, f"v{number}") for content in made))
        assert Counter(answer.status for answer in answers) == {201: 1, 412: MANY - 1}
    assert await listed(registry, MOVES, repository=repo.name) == []


async def test_tag_that_is_moved_while_it_is_deleted_was_there(repo: Repository) -> None:
    made = await contents(repo)
    for _ in range(ROUNDS):
        assert (await repo.put_manifest(made[0], "v1")).status == 201
        deleted, *pushed = await asyncio.gather(
            repo.delete("manifests/v1"), *(repo.put_manifest(content, "v1") for content in made)
        )
        assert (deleted.status, {answer.status for answer in pushed}) == (202, {201})


async def test_first_pushes_of_a_project_make_it_once(registry: Registry) -> None:
    project = unique("fresh")
    auth = registry.basic
    body = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'

    async def push(tag: str) -> int:
        url = f"{registry.url}/v2/{project}/app/manifests/{tag}"
        fields = {**auth, "Content-Type": "application/vnd.oci.image.index.v1+json"}
        async with registry.session.put(url, headers=fields, data=body) as answer:
            return answer.status

    statuses = await asyncio.gather(*(push(f"t{number}") for number in range(20)))
    assert statuses == [201] * 20
    assert sorted(await listed(registry, CREATED, project=project)) == [
        "project.created",
        "repository.created",
    ]
