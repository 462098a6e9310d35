"""Listing referrers (end-12a, 12b)."""

from typing import Any

import pytest

from tests.conformance.client import Repository, next_link, with_query
from tests.conformance.content import (
    CONFIG,
    INDEX,
    MANIFEST,
    SBOM,
    SIGNATURE,
    artifact,
    digest_of,
    image,
    index,
)

every_algorithm = pytest.mark.parametrize("algorithm", ["sha256", "sha512"])


async def assert_empty_index(repo: Repository, digest: str) -> None:
    answer = await repo.get(f"referrers/{digest}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == INDEX
    assert answer.json() == {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}


@every_algorithm
async def test_of_a_repository_never_used(repo: Repository, algorithm: str) -> None:
    """A registry with this API "MUST NOT return a 404"."""
    await assert_empty_index(repo, digest_of(b"nothing", algorithm))


async def test_of_a_digest_never_pushed(repo: Repository) -> None:
    await repo.push_blob(b"the repository exists")
    await assert_empty_index(repo, digest_of(b"nothing"))


async def test_of_a_manifest_that_nobody_names(repo: Repository) -> None:
    await assert_empty_index(repo, await repo.push(image()))


@every_algorithm
async def test_end_12a_descriptors_say_all(repo: Repository, algorithm: str) -> None:
    subject = image(algorithm=algorithm)
    digest = await repo.push(subject, "latest")
    notes = {"org.example.note": "h\u00e9llo \u2603"}
    plain = image([b"plain"], subject=subject.descriptor())
    sbom = artifact(subject=subject.descriptor(), annotations=notes)
    group = index([], subject=subject.descriptor(), annotations={})
    typed_group = index([], subject=subject.descriptor(), artifactType=SIGNATURE)
    for content in (plain, sbom, group, typed_group):
        await repo.push(content)
    found = {entry["digest"]: entry for entry in await repo.referrers(digest)}
    assert set(found) == {plain.digest, sbom.digest, group.digest, typed_group.digest}
    assert found[sbom.digest] == sbom.descriptor(artifactType=SBOM, annotations=notes)
    assert found[typed_group.digest] == typed_group.descriptor(artifactType=SIGNATURE)
    # An image without artifactType goes by its configuration, an index has nothing to go by.
    assert found[plain.digest] == plain.descriptor(artifactType=CONFIG)
    assert "artifactType" not in found[group.digest]


async def test_empty_artifact_type_is_none(repo: Repository) -> None:
    subject = image()
    await repo.push(subject)
    await repo.push(image([b"x"], subject=subject.descriptor(), artifactType=""))
    await repo.push(index([], subject=subject.descriptor(), artifactType=""))
    types = {entry["mediaType"]: entry.get("artifactType") for entry in await repo.referrers(subject.digest)}
    assert types == {MANIFEST: CONFIG, INDEX: None}


async def test_pushed_before_their_subject(repo: Repository) -> None:
    subject = image()
    referrer = artifact(subject=subject.descriptor())
    await repo.push(referrer)
    assert [entry["digest"] for entry in await repo.referrers(subject.digest)] == [referrer.digest]
    await repo.push(subject)
    assert [entry["digest"] for entry in await repo.referrers(subject.digest)] == [referrer.digest]


async def test_stay_listed_when_the_subject_is_deleted_and_pushed_again(repo: Repository) -> None:
    """Cleaning up after a subject is a policy's business; the list itself never lies about what is there."""
    subject = image()
    referrer = artifact(subject=subject.descriptor())
    await repo.push(subject)
    await repo.push(referrer)
    assert (await repo.delete(f"manifests/{subject.digest}")).status == 202
    there = (await repo.head(f"manifests/{referrer.digest}")).status == 200
    listed = [entry["digest"] for entry in await repo.referrers(subject.digest)]
    assert listed == ([referrer.digest] if there else [])


async def test_pushed_twice_is_listed_once(repo: Repository) -> None:
    subject = image()
    await repo.push(subject)
    referrer = artifact(subject=subject.descriptor())
    await repo.push(referrer, "one", "two")
    await repo.push(referrer)
    assert len(await repo.referrers(subject.digest)) == 1


async def test_of_another_repository_are_not_listed(repo: Repository, other: Repository) -> None:
    subject = image()
    await repo.push(subject)
    await other.push(subject)
    await other.push(artifact(subject=subject.descriptor()))
    assert await repo.referrers(subject.digest) == []


async def test_chain_lists_one_step_at_a_time(repo: Repository) -> None:
    subject = image()
    signature = artifact(SIGNATURE, subject=subject.descriptor())
    countersignature = artifact(SIGNATURE, b"again", subject=signature.descriptor())
    for content in (subject, signature, countersignature):
        await repo.push(content)
    assert [entry["digest"] for entry in await repo.referrers(subject.digest)] == [signature.digest]
    assert [entry["digest"] for entry in await repo.referrers(signature.digest)] == [countersignature.digest]


@pytest.mark.parametrize(
    ("wanted", "count"), [(SBOM, 2), (SIGNATURE, 1), (CONFIG, 1), ("text/none", 0), (SBOM[:-1], 0)]
)
async def test_end_12b_filter(repo: Repository, wanted: str, count: int) -> None:
    subject = image()
    await repo.push(subject)
    for content in (
        artifact(SBOM, b"1", subject=subject.descriptor()),
        artifact(SBOM, b"2", subject=subject.descriptor()),
        artifact(SIGNATURE, subject=subject.descriptor()),
        image([b"plain"], subject=subject.descriptor()),
        index([], subject=subject.descriptor()),
    ):
        await repo.push(content)
    answer = await repo.get(with_query(f"referrers/{subject.digest}", artifactType=wanted))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == INDEX
    assert answer.headers["OCI-Filters-Applied"] == "artifactType"
    assert [entry["artifactType"] for entry in answer.json()["manifests"]] == [wanted] * count


async def test_unfiltered_answer_claims_no_filter(repo: Repository) -> None:
    answer = await repo.get(f"referrers/{digest_of(b'nothing')}")
    assert "OCI-Filters-Applied" not in answer.headers


async def follow(repo: Repository, path: str) -> list[list[dict[str, Any]]]:
    """All pages, by the Link header."""
    pages = []
    following: str | None = path
    while following is not None:
        answer = await repo.get(following)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == INDEX
        pages.append(answer.json()["manifests"])
        following = next_link(answer)
    return pages


@pytest.mark.parametrize("size", [1, 3, 7, 100])
@pytest.mark.parametrize("query", ["", f"artifactType={SBOM}&"])
async def test_pages_by_link_have_each_referrer_once(repo: Repository, size: int, query: str) -> None:
    subject = image()
    await repo.push(subject)
    made = [artifact(SBOM, str(number).encode(), subject=subject.descriptor()) for number in range(7)]
    for content in made:
        await repo.push(content)
    pages = await follow(repo, f"referrers/{subject.digest}?{query}n={size}")
    digests = [entry["digest"] for page in pages for entry in page]
    assert sorted(digests) == sorted(content.digest for content in made)
    assert (
        all(len(page) <= size for page in pages) or len(pages) == 1
    )  # `n` is ours: a registry may ignore it


async def test_order_is_the_same_each_time(repo: Repository) -> None:
    subject = image()
    await repo.push(subject)
    for number in range(5):
        await repo.push(artifact(SBOM, str(number).encode(), subject=subject.descriptor()))
    assert await repo.referrers(subject.digest) == await repo.referrers(subject.digest)


async def test_more_than_one_manifest_can_hold_is_paged(repo: Repository) -> None:
    """Spec: a Link header "when the descriptor list cannot be returned in a single manifest"."""
    subject = image()
    await repo.push(subject)
    made = [
        artifact(SBOM, b"%d" % number, subject=subject.descriptor(), annotations={"large": "A" * 1_000_000})
        for number in range(6)
    ]
    for content in made:
        await repo.push(content)
    pages = await follow(repo, f"referrers/{subject.digest}")
    assert sorted(entry["digest"] for page in pages for entry in page) == sorted(
        content.digest for content in made
    )
    assert all(len(str(page)) <= 4 << 20 for page in pages)
