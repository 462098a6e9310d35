"""Pushing manifests (end-7a, 7b): what is taken, what is refused, which tags are made."""

from typing import Any

import pytest

from tests.conformance.client import Answer, Repository
from tests.conformance.content import (
    CONFIG,
    DOCKER_MANIFEST,
    INDEX,
    LAYER,
    MANIFEST,
    OCTETS,
    Content,
    descriptor,
    digest_of,
    encode,
    image,
    index,
    unique,
)

every_algorithm = pytest.mark.parametrize("algorithm", ["sha256", "sha512"])


async def put(repo: Repository, body: bytes, media_type: str = MANIFEST, reference: str = "latest") -> Answer:
    return await repo.send("PUT", f"manifests/{reference}", body, headers={"Content-Type": media_type})


async def push_blobs(repo: Repository, content: Content) -> None:
    for blob in content.blobs:
        await repo.push_blob(blob, content.algorithm)


async def test_end_7a_tag_moves_to_the_manifest_pushed_last(repo: Repository) -> None:
    one, two = image([b"one"]), image([b"two"])
    await repo.push(one, "latest")
    await repo.push(two, "latest")
    assert (await repo.get("manifests/latest")).body == two.body
    assert (await repo.get(f"manifests/{one.digest}")).body == one.body
    assert await repo.tags() == ["latest"]


async def test_push_by_tag_alone_makes_the_manifest_known_by_digest(repo: Repository) -> None:
    content = image()
    await push_blobs(repo, content)
    assert (await repo.put_manifest(content, "latest")).status == 201
    assert (await repo.head(f"manifests/{content.digest}")).status == 200


@pytest.mark.parametrize("media_type", [f"{MANIFEST}; charset=utf-8", f"{MANIFEST} ;x=y"])
async def test_parameters_of_the_content_type_do_not_matter(repo: Repository, media_type: str) -> None:
    content = image()
    await push_blobs(repo, content)
    assert (await put(repo, content.body, media_type)).status == 201
    assert (await repo.get("manifests/latest")).headers["Content-Type"] == MANIFEST


@pytest.mark.parametrize(
    "media_type", [INDEX, DOCKER_MANIFEST, OCTETS, "application/json", "text/html", "nonsense"]
)
async def test_content_type_must_be_the_manifests_own(repo: Repository, media_type: str) -> None:
    content = image()
    await push_blobs(repo, content)
    answer = await put(repo, content.body, media_type)
    assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")
    assert (await repo.head("manifests/latest")).status == 404


@pytest.mark.parametrize("tag", ["a", "_", "A" * 128, "0.0.0-rc.1_x", "__--..", "sha256-" + "a" * 64])
async def test_odd_tags_that_are_tags(repo: Repository, tag: str) -> None:
    await repo.push(image(), tag)
    assert await repo.tags() == [tag]
    assert (await repo.head(f"manifests/{tag}")).status == 200


def broken_image(**fields: Any) -> bytes:
    return encode({**image().document, **fields})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"manifest"',
        b"{}",
        b"{",
        b"\xff\xfe{}",
        b'{"schemaVersion":2} trailing',
        broken_image(schemaVersion=1),
        broken_image(schemaVersion="2"),
        broken_image(config=None),
        broken_image(config=[]),
        broken_image(config={"mediaType": CONFIG}),
        broken_image(config=descriptor(CONFIG, b"{}") | {"digest": "sha256:short"}),
        broken_image(config=descriptor(CONFIG, b"{}") | {"size": -1}),
        broken_image(config=descriptor(CONFIG, b"{}") | {"size": "2"}),
        broken_image(config=descriptor(CONFIG, b"{}") | {"size": 1.5}),
        broken_image(layers="none"),
        broken_image(layers=[None]),
        broken_image(layers=[{}]),
        broken_image(subject="sha256:none"),
        broken_image(annotations={"key": 1}),
        broken_image(annotations=["key"]),
        broken_image(artifactType=5),
        broken_image(mediaType=5),
        broken_image(mediaType=INDEX),
    ],
)
async def test_what_is_no_manifest_is_400(repo: Repository, body: bytes) -> None:
    await push_blobs(repo, image())
    await repo.push_blob(b"{}")
    answer = await put(repo, body)
    assert answer.status == 400
    assert answer.code in {"MANIFEST_INVALID", "DIGEST_INVALID"}
    assert (await repo.head("manifests/latest")).status == 404


@pytest.mark.parametrize("missing", ["config", "layer"])
@every_algorithm
async def test_missing_blob_is_named(repo: Repository, missing: str, algorithm: str) -> None:
    content = image([unique()], config=encode({"os": unique(4).hex()}), algorithm=algorithm)
    config, layer = content.blobs
    await repo.push_blob(layer if missing == "config" else config, algorithm)
    answer = await repo.put_manifest(content, "latest")
    assert (answer.status, answer.code) == (404, "MANIFEST_BLOB_UNKNOWN")
    assert digest_of(config if missing == "config" else layer, algorithm).encode() in answer.body
    assert (await repo.head("manifests/latest")).status == 404


async def test_blob_of_another_repository_is_missing_here(repo: Repository, other: Repository) -> None:
    content = image([unique()])
    await other.push(content)
    answer = await repo.put_manifest(content)
    assert (answer.status, answer.code) == (404, "MANIFEST_BLOB_UNKNOWN")


async def test_missing_child_of_an_index(repo: Repository) -> None:
    child = image([unique()])
    await repo.push_blob(b"the repository exists")
    answer = await repo.put_manifest(index([child]))
    assert (answer.status, answer.code) == (404, "MANIFEST_BLOB_UNKNOWN")
    assert child.digest.encode() in answer.body


async def test_missing_subject_is_no_reason_to_refuse(repo: Repository) -> None:
    """Spec, "Push": in either order."""
    subject = image([unique()])
    content = image(subject=subject.descriptor())
    await push_blobs(repo, content)
    answer = await repo.put_manifest(content)
    assert (answer.status, answer.headers["OCI-Subject"]) == (201, subject.digest)


@every_algorithm
async def test_subject_is_acknowledged(repo: Repository, algorithm: str) -> None:
    subject = image(algorithm=algorithm)
    await repo.push(subject)
    referrer = index([], subject=subject.descriptor())
    for reference in (referrer.digest, "tagged"):
        answer = await repo.put_manifest(referrer, reference)
        assert (answer.status, answer.headers["OCI-Subject"]) == (201, subject.digest)


async def test_without_subject_none_is_acknowledged(repo: Repository) -> None:
    content = image()
    await push_blobs(repo, content)
    assert "OCI-Subject" not in (await repo.put_manifest(content)).headers


def accepted_tags(answer: Answer) -> set[str]:
    values = ",".join(answer.headers.getall("OCI-Tag", []))
    return {value.strip() for value in values.split(",") if value.strip()}


@every_algorithm
@pytest.mark.parametrize("count", [1, 2, 10, 25])
async def test_end_7b_tag_parameters(repo: Repository, algorithm: str, count: int) -> None:
    content = image(algorithm=algorithm)
    await push_blobs(repo, content)
    tags = {f"v{number}" for number in range(count)}
    answer = await put(
        repo, content.body, reference=f"{content.digest}?" + "&".join(f"tag={tag}" for tag in tags)
    )
    assert answer.status == 201
    assert accepted_tags(answer) == tags
    assert set(await repo.tags()) == tags
    for tag in tags:
        assert (await repo.head(f"manifests/{tag}")).headers["Docker-Content-Digest"] == content.digest


async def test_end_7b_moves_tags_that_are_there(repo: Repository) -> None:
    await repo.push(image([b"old"]), "latest")
    new = image([b"new"])
    await push_blobs(repo, new)
    answer = await put(repo, new.body, reference=f"{new.digest}?tag=latest&tag=latest&tag=1.0")
    assert accepted_tags(answer) == {"latest", "1.0"}
    assert (await repo.get("manifests/latest")).body == new.body


async def test_end_7b_tags_nothing_with_a_tag_that_cannot_be(repo: Repository) -> None:
    content = image()
    await push_blobs(repo, content)
    answer = await put(repo, content.body, reference=f"{content.digest}?tag=good&tag=not%20good")
    assert answer.status == 400
    assert answer.code in {"MANIFEST_INVALID", "NAME_INVALID", "TAG_INVALID"}
    assert (await repo.head("manifests/good")).status == 404
    assert (await repo.head(f"manifests/{content.digest}")).status == 404


async def test_end_7b_too_many_tags_are_taken_or_refused_whole(repo: Repository) -> None:
    content = image()
    await push_blobs(repo, content)
    query = "&".join(f"tag=v{number}" for number in range(500))
    answer = await put(repo, content.body, reference=f"{content.digest}?{query}")
    assert answer.status in {201, 414}
    assert len(accepted_tags(answer)) == (500 if answer.status == 201 else 0)


async def test_without_tag_parameters_no_tag_is_announced(repo: Repository) -> None:
    content = image()
    await push_blobs(repo, content)
    assert "OCI-Tag" not in (await repo.put_manifest(content)).headers


@pytest.mark.parametrize("media_type", [LAYER, "application/octet-stream"])
async def test_blobs_are_no_manifests(repo: Repository, media_type: str) -> None:
    """What was pushed as a blob is not found as a manifest, whatever its media type says."""
    digest = await repo.push_blob(image().body)
    answer = await repo.get(f"manifests/{digest}", Accept=media_type)
    assert (answer.status, answer.code) == (404, "MANIFEST_UNKNOWN")
