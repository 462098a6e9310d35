"""Mounting blobs from other repositories (end-11)."""

import pytest

from tests.conformance.client import Answer, Registry, Repository, bearer, open_repository
from tests.conformance.content import digest_of, unique

every_algorithm = pytest.mark.parametrize("algorithm", ["sha256", "sha512"])


async def mount(repo: Repository, digest: str, source: str = "") -> Answer:
    return await repo.send("POST", f"blobs/uploads/?mount={digest}" + (f"&from={source}" if source else ""))


async def assert_fell_back(repo: Repository, answer: Answer, data: bytes) -> None:
    """A mount that cannot be has opened an upload session, and the client goes on with it."""
    digest = digest_of(data)
    assert answer.status == 202
    assert (await repo.head(f"blobs/{digest}")).status == 404
    assert (await repo.get(answer.location)).status == 204
    assert (await repo.close(answer.location, digest, data)).status == 201
    assert (await repo.get(f"blobs/{digest}")).body == data


async def may_pull_both(target: Registry, source: Repository) -> Repository:
    """A new repository, with a token that reads the source too, as Docker asks for it."""
    repo = await open_repository(target)
    token = await target.token(f"repository:{repo.name}:pull,push,delete", f"repository:{source.name}:pull")
    return Repository(target, repo.name, bearer(token))


@every_algorithm
async def test_mount(target: Registry, other: Repository, algorithm: str) -> None:
    data = unique()
    digest = await other.push_blob(data, algorithm)
    repo = await may_pull_both(target, other)
    answer = await mount(repo, digest, other.name)
    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers["Docker-Content-Digest"] == digest
    assert repo.name in answer.location
    assert (await repo.get(answer.location)).body == data


@every_algorithm
async def test_anonymous_mount(target: Registry, other: Repository, algorithm: str) -> None:
    """Without `from`: any repository that the caller may pull from will do."""
    data = unique()
    digest = await other.push_blob(data, algorithm)
    repo = await may_pull_both(target, other)
    answer = await mount(repo, digest)
    assert answer.status == 201
    assert (await repo.get(answer.location)).body == data


async def test_mount_of_what_is_here_already(repo: Repository) -> None:
    digest = await repo.push_blob(unique())
    assert (await mount(repo, digest, repo.name)).status == 201
    assert (await mount(repo, digest)).status == 201


@pytest.mark.parametrize("source", ["", "conformance/does-not-exist", "no-such-project/at/all", "library"])
async def test_mount_of_a_missing_blob_opens_a_session(repo: Repository, source: str) -> None:
    data = unique()
    await assert_fell_back(repo, await mount(repo, digest_of(data), source), data)


async def test_mount_from_a_repository_without_the_blob_opens_a_session(
    target: Registry, other: Repository
) -> None:
    data = unique()
    await other.push_blob(b"something else")
    repo = await may_pull_both(target, other)
    await assert_fell_back(repo, await mount(repo, digest_of(data), other.name), data)


@pytest.mark.parametrize("source", ["UPPER", "../escape", "a//b"])
async def test_mount_from_a_name_that_cannot_be(repo: Repository, source: str) -> None:
    answer = await mount(repo, digest_of(unique()), source)
    assert answer.status == 202 or (answer.status, answer.code) == (400, "NAME_INVALID")


@pytest.mark.parametrize("digest", ["sha256:baddigeststring", "md5:" + "a" * 32, "nonsense"])
async def test_mount_of_a_digest_that_cannot_be(repo: Repository, digest: str) -> None:
    answer = await mount(repo, digest)
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")


async def test_delete_after_mount_unlinks_from_one_repository_only(
    target: Registry, other: Repository
) -> None:
    data = unique()
    digest = await other.push_blob(data)
    repo = await may_pull_both(target, other)
    assert (await mount(repo, digest, other.name)).status == 201
    assert (await other.delete(f"blobs/{digest}")).status == 202
    assert (await other.head(f"blobs/{digest}")).status == 404
    assert (await repo.get(f"blobs/{digest}")).body == data


async def test_delete_of_a_mounted_blob_leaves_the_source_alone(target: Registry, other: Repository) -> None:
    data = unique()
    digest = await other.push_blob(data)
    repo = await may_pull_both(target, other)
    assert (await mount(repo, digest, other.name)).status == 201
    assert (await repo.delete(f"blobs/{digest}")).status == 202
    assert (await repo.head(f"blobs/{digest}")).status == 404
    assert (await other.get(f"blobs/{digest}")).body == data
