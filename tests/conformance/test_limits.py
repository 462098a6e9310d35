"""How large a manifest may be (spec, "Pushing Manifests": at least 4 MiB, above a limit 413)."""

import pytest

from tests.conformance.client import Repository
from tests.conformance.content import MANIFEST, Content, image

LIMIT = 4 << 20


def manifest_of(size: int) -> Content:
    """An image manifest of exactly this many bytes."""
    bare = image(annotations={"filler": ""})
    filled = image(annotations={"filler": "A" * (size - len(bare.body))})
    assert len(filled.body) == size
    return filled


@pytest.mark.parametrize("by_tag", [False, True], ids=["digest", "tag"])
async def test_four_mebibytes_are_taken(repo: Repository, by_tag: bool) -> None:
    content = manifest_of(LIMIT)
    digest = await repo.push(content, "large")
    pulled = await repo.get(f"manifests/{'large' if by_tag else digest}", Accept=MANIFEST)
    assert pulled.body == content.body


@pytest.mark.parametrize("excess", [1, 1 << 20])
async def test_more_is_413(repo: Repository, excess: int) -> None:
    content = manifest_of(LIMIT + excess)
    for reference in (content.digest, "large"):
        answer = await repo.put_manifest(content, reference)
        assert (answer.status, answer.code) == (413, "SIZE_INVALID")
        assert (await repo.head(f"manifests/{reference}")).status == 404
