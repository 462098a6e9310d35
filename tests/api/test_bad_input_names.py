"""Names that try to be something else: paths, odd Unicode, broken escapes."""

from pathlib import Path

import pytest

from tests.conformance.client import SPEC_CODES, open_repository
from tests.conformance.content import digest_of, image
from tests.conformance.files import all_files
from tests.conformance.wire import ask, head
from tests.support.registry import Registry

DIGEST = digest_of(b"anything")

TRAVERSALS = [
    "../../etc/passwd",
    "a/../../b",
    "a/..",
    "..",
    ".",
    "a/./b",
    "%2e%2e/%2e%2e/etc/passwd",
    "a%2f..%2f..%2fb",
    "a%2F%2E%2E",
    "a\\..\\b",
    "a%5c..%5cb",
    "%252e%252e",
    "a//b",
    "//a",
    "a/",
    "%c0%ae%c0%ae/a",
]
ODD = [
    "UPPER/case",
    "a_/b",
    "_a/b",
    "-a/b",
    "a-/b",
    "a..b/c",
    "a___b/c",
    "a._b/c",
    "a/b%20c",
    "a/b%00c",
    "a/b%00",
    "a/b%0a",
    "a/b%0d%0aX-Injected:%20yes",
    "a/%c3%bc",
    "\u00fc/a",
    "a/\u0430",
    "a/\uff41",
    "a/%e2%80%aeb",
    "a/%ff%fe",
    "a/%ed%a0%80",
    "a/%f0%9f%9a%a2",
    "a/b%",
    "a/b%zz",
    "a/b;c",
    "a/b@c",
    "a/b:c",
    "a/'; DROP TABLE repositories; --".replace(" ", "%20"),
    "a/{name}",
    "a/" + "b" * 254,
    "a" * 300,
    "/".join(["a"] * 200),
    "a/" + "b" * 5000,
]
CALLS = [
    ("GET", f"blobs/{DIGEST}"),
    ("HEAD", f"blobs/{DIGEST}"),
    ("GET", "manifests/latest"),
    ("PUT", "manifests/latest"),
    ("DELETE", "manifests/latest"),
    ("POST", "blobs/uploads/"),
    ("GET", "tags/list"),
    ("GET", f"referrers/{DIGEST}"),
]


@pytest.mark.parametrize("name", TRAVERSALS + ODD)
async def test_name_that_cannot_be_is_refused_everywhere(
    shared: Registry, storage_root: Path, name: str
) -> None:
    """Even to the administrator: in the shape of the specification wherever it was HTTP at all."""
    before = all_files(storage_root)
    for method, path in CALLS:
        answer = await ask(
            shared, head(method, f"/v2/{name}/{path}", {**shared.basic, "Content-Length": "0"})
        )
        if answer is None or not name.isascii():
            assert answer is None or answer.status == 400
            continue
        assert answer.status in {400, 404, 414}, answer
        assert "X-Injected" not in answer.headers
        assert method == "HEAD" or answer.code in SPEC_CODES
    assert all_files(storage_root) == before


LONGEST = "a/" + "b" * 253


@pytest.mark.parametrize(
    "name", ["a", "0", "a.b/c", "a_b/c", "a__b/c", "a-b/c", "a-----b/c", "a/b/c/d/e/f/g/h", LONGEST]
)
async def test_odd_name_that_is_a_name_works(shared: Registry, name: str) -> None:
    repo = await open_repository(shared, name=name)
    digest = await repo.push(image(), "latest")
    assert (await repo.get("manifests/latest")).headers["Docker-Content-Digest"] == digest
    assert (await repo.get("tags/list")).json()["tags"] == ["latest"]


async def test_single_component_is_the_same_as_below_library(shared: Registry) -> None:
    short, long = (
        await open_repository(shared, name="myimage"),
        await open_repository(shared, name="library/myimage"),
    )
    digest = await short.push(image(), "latest")
    assert (await long.get("manifests/latest")).headers["Docker-Content-Digest"] == digest
    assert (await short.get("tags/list")).json() == {"name": "myimage", "tags": ["latest"]}


@pytest.mark.parametrize("word", ["manifests", "blobs", "uploads", "tags", "list", "referrers", "v2"])
async def test_words_of_the_routes_may_be_names(shared: Registry, word: str) -> None:
    repo = await open_repository(shared, name=f"a/{word}/{word}")
    digest = await repo.push(image(), word, "list")
    assert (await repo.get(f"manifests/{word}")).headers["Docker-Content-Digest"] == digest
    assert sorted((await repo.get("tags/list")).json()["tags"]) == sorted({word, "list"})
    assert (await repo.get(f"referrers/{digest}")).json()["manifests"] == []
