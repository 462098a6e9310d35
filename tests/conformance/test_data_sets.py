"""Every kind of content goes the whole way: push, head, pull, list, delete (end-3, 7a, 8a, 9, 10)."""

from collections.abc import Iterator

import pytest

from tests.conformance.client import Repository
from tests.conformance.content import DATA_SETS, INDEX, MANIFEST, Content, digest_of

ANY_OCI = f"{INDEX}, {MANIFEST}"


@pytest.fixture(params=DATA_SETS)
def content(request: pytest.FixtureRequest) -> Content:
    return DATA_SETS[request.param]()


async def assert_pulled(repo: Repository, reference: str, content: Content) -> None:
    path = f"manifests/{reference}"
    get, head = (
        await repo.get(path, Accept=content.media_type),
        await repo.head(path, Accept=content.media_type),
    )
    assert get.body == content.body
    for answer in (get, head):
        assert answer.status == 200
        assert answer.headers["Content-Type"] == content.media_type
        assert answer.headers["Content-Length"] == str(len(content.body))
        assert answer.headers["Docker-Content-Digest"] == content.digest
        assert "Content-Encoding" not in answer.headers


async def test_push_and_pull(repo: Repository, content: Content) -> None:
    """end-7a and end-3: by digest and by tag, bytes and headers exactly as pushed."""
    await repo.push(content)
    tagged = await repo.put_tag(content, "latest")
    assert (tagged.status, tagged.body) == (201, b"")
    assert tagged.headers["Docker-Content-Digest"] == content.digest
    await assert_pulled(repo, content.digest, content)
    await assert_pulled(repo, "latest", content)
    for child in content.children:
        await assert_pulled(repo, child.digest, child)


async def test_location_is_a_pullable_url(repo: Repository, content: Content) -> None:
    await repo.push(content)
    for reference in (content.digest, "latest"):
        put = await repo.put_manifest(content, reference)
        pulled = await repo.get(put.location, Accept=ANY_OCI)
        assert pulled.body == content.body
        assert pulled.headers["Content-Type"] == content.media_type
        assert pulled.headers["Content-Length"] == str(len(content.body))


async def test_pushed_twice_is_there_once(repo: Repository, content: Content) -> None:
    assert await repo.push(content, "one") == await repo.push(content, "two") == content.digest
    assert await repo.tags() == ["one", "two"]
    await assert_pulled(repo, "one", content)
    await assert_pulled(repo, "two", content)


async def test_changed_bytes_under_the_old_digest_are_refused(repo: Repository, content: Content) -> None:
    """Trailing white space keeps the JSON and changes the digest."""
    for blob in content.blobs:
        await repo.push_blob(blob, content.algorithm)
    for child in content.children:
        await repo.push(child)
    changed = Content(content.body + b"  ", content.media_type)
    answer = await repo.put_manifest(changed, content.digest)
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
    assert (await repo.head(f"manifests/{content.digest}")).status == 404


async def test_delete_in_reverse_order(repo: Repository, content: Content) -> None:
    """Tag, manifest, children, blobs; each gone before the next request."""
    await repo.push(content, "latest")
    await delete_at_once(repo, "manifests/latest")
    manifests = list(all_of(content))
    for manifest in manifests:
        await delete_at_once(repo, f"manifests/{manifest.digest}")
    blobs = {digest_of(blob, manifest.algorithm) for manifest in manifests for blob in manifest.blobs}
    for digest in blobs:
        await delete_at_once(repo, f"blobs/{digest}")
    assert await repo.tags() == []


def all_of(content: Content) -> Iterator[Content]:
    """The manifest and those below it, parents first."""
    yield content
    for child in content.children:
        yield from all_of(child)


async def delete_at_once(repo: Repository, path: str) -> None:
    assert (await repo.delete(path)).status == 202
    assert (await repo.head(path)).status == 404
