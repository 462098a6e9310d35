"""Pulling manifests (end-3): conditions, caching, content negotiation."""

import pytest

from tests.conformance.client import Repository
from tests.conformance.content import (
    DOCKER,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    INDEX,
    MANIFEST,
    digest_of,
    image,
    index,
)


@pytest.mark.parametrize("by_tag", [False, True], ids=["digest", "tag"])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_if_none_match_of_the_same_is_304(
    repo: Repository, by_tag: bool, form: str, method: str
) -> None:
    digest = await repo.push(image(), "latest")
    path = f"manifests/{'latest' if by_tag else digest}"
    etag = (await repo.head(path)).headers["ETag"]
    answer = await repo.send(method, path, headers={"If-None-Match": form.replace("{}", etag)})
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["ETag"] == etag
    assert answer.headers["Docker-Content-Digest"] == digest


async def test_moved_tag_is_sent_anew(repo: Repository) -> None:
    await repo.push(image([b"old"]), "latest")
    etag = (await repo.head("manifests/latest")).headers["ETag"]
    new = image([b"new"])
    await repo.push(new, "latest")
    answer = await repo.get("manifests/latest", If_None_Match=etag)
    assert (answer.status, answer.body) == (200, new.body)


async def test_tag_may_not_be_kept_for_ever(repo: Repository) -> None:
    await repo.push(image(), "latest")
    assert "immutable" not in (await repo.head("manifests/latest")).headers.get("Cache-Control", "")


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/json", MANIFEST, f"{DOCKER_MANIFEST}, {INDEX};q=0.5", "image/png"]
)
async def test_accept_never_changes_the_bytes(repo: Repository, accept: str) -> None:
    """Content is addressed by its digest: there is nothing to convert it to."""
    content = image()
    await repo.push(content, "latest")
    for reference in (content.digest, "latest"):
        answer = await repo.get(f"manifests/{reference}", Accept=accept)
        assert (answer.status, answer.body) == (200, content.body)
        assert answer.headers["Content-Type"] == MANIFEST


async def test_list_is_not_replaced_by_one_of_its_images(repo: Repository) -> None:
    content = index([image(kind=DOCKER)], media_type=DOCKER_LIST)
    await repo.push(content, "latest")
    answer = await repo.get("manifests/latest", Accept=DOCKER_MANIFEST)
    assert (answer.body, answer.headers["Content-Type"]) == (content.body, DOCKER_LIST)


async def test_compression_is_never_applied(repo: Repository) -> None:
    content = image()
    await repo.push(content, "latest")
    answer = await repo.get("manifests/latest", Accept_Encoding="gzip, deflate, br, zstd")
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Content-Length"] == str(len(content.body))


async def test_manifest_is_not_visible_elsewhere(repo: Repository, other: Repository) -> None:
    digest = await repo.push(image(), "latest")
    await other.push_blob(b"the other repository exists")
    for reference in (digest, "latest"):
        assert (await other.head(f"manifests/{reference}")).status == 404


async def test_same_bytes_under_two_algorithms(repo: Repository) -> None:
    """sha512 names the manifest that is pushed under it, and sha256 does not."""
    content = image()
    await repo.push(content)
    sha512 = digest_of(content.body, "sha512")
    assert (await repo.head(f"manifests/{sha512}")).status == 404
    assert (await repo.put_manifest(content, sha512)).status == 201
    for digest in (content.digest, sha512):
        answer = await repo.get(f"manifests/{digest}")
        assert (answer.body, answer.headers["Docker-Content-Digest"]) == (content.body, digest)
