"""Deleting tags, manifests (end-9) and blobs (end-10): at once, and only what was asked for."""

import pytest

from tests.conformance.client import Repository
from tests.conformance.content import artifact, digest_of, image, index, unique

every_algorithm = pytest.mark.parametrize("algorithm", ["sha256", "sha512"])


@every_algorithm
async def test_end_10_blob_is_gone_at_once(repo: Repository, algorithm: str) -> None:
    path = f"blobs/{await repo.push_blob(unique(), algorithm)}"
    deleted = await repo.delete(path)
    assert (deleted.status, deleted.body) == (202, b"")
    assert (await repo.head(path)).status == 404
    assert (await repo.get(path)).code == "BLOB_UNKNOWN"
    again = await repo.delete(path)
    assert (again.status, again.code) == (404, "BLOB_UNKNOWN")


async def test_deleted_blob_can_be_pushed_again(repo: Repository) -> None:
    data = unique()
    digest = await repo.push_blob(data)
    assert (await repo.delete(f"blobs/{digest}")).status == 202
    await repo.push_blob(data)
    assert (await repo.get(f"blobs/{digest}")).body == data


async def test_blob_of_two_repositories_is_deleted_from_one(repo: Repository, other: Repository) -> None:
    data = unique()
    digest = await repo.push_blob(data)
    await other.push_blob(data)
    assert (await repo.delete(f"blobs/{digest}")).status == 202
    assert (await repo.head(f"blobs/{digest}")).status == 404
    assert (await other.get(f"blobs/{digest}")).body == data


async def test_blob_in_use_stays(repo: Repository) -> None:
    """Our own decision: no manifest is broken by deleting a blob under it."""
    made = image([unique()])
    digest = await repo.push(made, "latest")
    layer = f"blobs/{digest_of(made.blobs[1])}"
    refused = await repo.delete(layer)
    assert (refused.status, refused.code) == (405, "UNSUPPORTED")
    assert (await repo.head(layer)).status == 200
    assert (await repo.delete(f"manifests/{digest}")).status == 202
    assert (await repo.delete(layer)).status == 202


@every_algorithm
async def test_end_9_manifest_is_gone_with_its_tags(repo: Repository, algorithm: str) -> None:
    digest = await repo.push(image(algorithm=algorithm), "one", "two")
    deleted = await repo.delete(f"manifests/{digest}")
    assert (deleted.status, deleted.body) == (202, b"")
    for reference in (digest, "one", "two"):
        assert (await repo.head(f"manifests/{reference}")).status == 404
        assert (await repo.get(f"manifests/{reference}")).code == "MANIFEST_UNKNOWN"
    assert await repo.tags() == []
    again = await repo.delete(f"manifests/{digest}")
    assert (again.status, again.code) == (404, "MANIFEST_UNKNOWN")


async def test_deleting_a_manifest_leaves_others_and_their_tags(repo: Repository) -> None:
    one, two = await repo.push(image([b"one"]), "one"), await repo.push(image([b"two"]), "two")
    assert (await repo.delete(f"manifests/{one}")).status == 202
    assert await repo.tags() == ["two"]
    assert (await repo.head(f"manifests/{two}")).status == 200


async def test_end_9_tag_is_gone_at_once_and_the_manifest_stays(repo: Repository) -> None:
    digest = await repo.push(image(), "one", "two")
    deleted = await repo.delete("manifests/one")
    assert (deleted.status, deleted.body) == (202, b"")
    assert (await repo.head("manifests/one")).status == 404
    assert (await repo.head("manifests/two")).status == 200
    assert (await repo.head(f"manifests/{digest}")).status == 200
    assert await repo.tags() == ["two"]
    again = await repo.delete("manifests/one")
    assert (again.status, again.code) == (404, "MANIFEST_UNKNOWN")


async def test_the_last_tag_leaves_the_manifest_by_digest(repo: Repository) -> None:
    digest = await repo.push(image(), "only")
    assert (await repo.delete("manifests/only")).status == 202
    assert (await repo.get(f"manifests/{digest}")).status == 200
    assert await repo.tags() == []


async def test_deleted_manifest_can_be_pushed_again(repo: Repository) -> None:
    made = image()
    digest = await repo.push(made, "latest")
    assert (await repo.delete(f"manifests/{digest}")).status == 202
    assert await repo.push(made, "latest") == digest
    assert (await repo.get("manifests/latest")).body == made.body


async def test_deleting_an_index_leaves_its_children(repo: Repository) -> None:
    child = image()
    digest = await repo.push(index([child]), "multi")
    assert (await repo.delete(f"manifests/{digest}")).status == 202
    assert (await repo.head(f"manifests/{child.digest}")).status == 200


async def test_deleting_a_child_of_an_index_is_refused_or_leaves_the_index_whole(repo: Repository) -> None:
    child = image()
    digest = await repo.push(index([child]), "multi")
    deleted = await repo.delete(f"manifests/{child.digest}")
    assert deleted.status in {202, 405}
    assert (await repo.head(f"manifests/{child.digest}")).status == (404 if deleted.status == 202 else 200)
    assert (await repo.head(f"manifests/{digest}")).status == 200


async def test_deleted_referrer_is_off_the_list(repo: Repository) -> None:
    subject = image()
    await repo.push(subject)
    signature = artifact(subject=subject.descriptor())
    await repo.push(signature)
    assert len(await repo.referrers(subject.digest)) == 1
    assert (await repo.delete(f"manifests/{signature.digest}")).status == 202
    assert await repo.referrers(subject.digest) == []


@pytest.mark.parametrize(
    "path", [f"manifests/{digest_of(b'x')}", "manifests/latest", f"blobs/{digest_of(b'x')}"]
)
async def test_delete_in_a_missing_repository_is_404(repo: Repository, path: str) -> None:
    assert (await repo.delete(path)).status == 404
