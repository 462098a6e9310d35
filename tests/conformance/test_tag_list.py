"""Listing tags (end-8a, 8b) and repositories: order, pages, nothing twice and nothing lost."""

import pytest

from tests.conformance.client import Registry, Repository, next_link, open_repository
from tests.conformance.content import image

# Neighbours under a locale's collation are far apart as bytes, and prefixes share their beginning.
TAGS = [
    "1",
    "1-0",
    "1.0",
    "1.0.0",
    "10",
    "2",
    "A",
    "B",
    "Z",
    "_",
    "a",
    "a-b",
    "a.b",
    "a_b",
    "aa",
    "ab",
    "b",
    "z",
]


@pytest.fixture
async def tagged(repo: Repository) -> Repository:
    await repo.push(image(), *reversed(TAGS))
    return repo


async def test_end_8a_all_in_ascii_order(tagged: Repository) -> None:
    answer = await tagged.get("tags/list")
    assert answer.headers["Content-Type"].partition(";")[0] == "application/json"
    assert answer.json() == {"name": tagged.name, "tags": TAGS}
    assert "Link" not in answer.headers


async def test_of_a_repository_never_used(repo: Repository) -> None:
    answer = await repo.get("tags/list")
    assert (answer.status, answer.code) == (404, "NAME_UNKNOWN")


async def test_of_a_repository_without_tags_is_an_empty_list(repo: Repository) -> None:
    await repo.push(image())
    assert await repo.tags() == []


@pytest.mark.parametrize("last", [*TAGS, "0", "a-", "a.", "zz", "B0"])
async def test_end_8b_last_without_n(tagged: Repository, last: str) -> None:
    assert await tagged.tags(f"?last={last}") == [tag for tag in TAGS if tag > last]


@pytest.mark.parametrize("n", [1, 5, len(TAGS) - 1])
@pytest.mark.parametrize("last", ["", "1", "a", "a-"])
async def test_end_8b_n_and_last(tagged: Repository, n: int, last: str) -> None:
    after = [tag for tag in TAGS if tag > last]
    assert await tagged.tags(f"?n={n}&last={last}") == after[:n]


@pytest.mark.parametrize("n", [1, 4, 7, len(TAGS), 1000])
async def test_pages_by_link_have_each_tag_once_in_order(tagged: Repository, n: int) -> None:
    pages = []
    following: str | None = f"tags/list?n={n}"
    while following is not None:
        answer = await tagged.get(following)
        pages.append(answer.json()["tags"])
        following = next_link(answer)
    assert [tag for page in pages for tag in page] == TAGS
    assert all(len(page) == n for page in pages[:-1])
    assert pages[-1] != []


async def test_n_zero_is_an_empty_list_without_link(tagged: Repository) -> None:
    answer = await tagged.get("tags/list?n=0")
    assert (answer.status, answer.json()["tags"]) == (200, [])
    assert "Link" not in answer.headers


@pytest.mark.parametrize("n", ["-1", "x", "1.5", "1e3", "", "0x10", "%D9%A1", "1_0", "%201"])
async def test_n_that_is_no_number_is_400(tagged: Repository, n: str) -> None:
    answer = await tagged.get(f"tags/list?n={n}")
    assert (answer.status, answer.code) == (400, "PAGINATION_NUMBER_INVALID")


@pytest.mark.parametrize("n", ["1000000000", "9" * 40])
async def test_n_beyond_all_tags_gives_them_all(tagged: Repository, n: str) -> None:
    answer = await tagged.get(f"tags/list?n={n}")
    assert (answer.status, answer.json()["tags"]) == (200, TAGS)
    assert "Link" not in answer.headers


async def test_page_is_not_disturbed_by_deletes(tagged: Repository) -> None:
    """Keyset pages: the last tag of a page may be gone when the next is asked for."""
    first = await tagged.get("tags/list?n=3")
    assert (await tagged.delete(f"manifests/{TAGS[2]}")).status == 202
    following = next_link(first)
    assert following is not None
    assert (await tagged.get(following)).json()["tags"] == TAGS[3:6]


REPOSITORIES = ["lib/a", "lib/a-b", "lib/a.b", "lib/a/b", "lib/a_b", "lib/aa", "lib/ab", "lib0/a"]


async def whole_catalog(catalog: Repository, n: int) -> list[str]:
    names: list[str] = []
    following: str | None = f"/v2/_catalog?n={n}"
    while following is not None:
        answer = await catalog.get(following)
        assert answer.status == 200
        names += answer.json()["repositories"]
        following = next_link(answer)
    return names


@pytest.mark.parametrize("n", [1, 3, 100])
async def test_catalog_pages_have_each_repository_once_in_order(
    target: Registry, catalog: Repository, n: int
) -> None:
    for name in REPOSITORIES:
        await (await open_repository(target, name=name)).push_blob(b"the repository exists")
    names = await whole_catalog(catalog, n)
    assert names == sorted(set(names))
    assert [name for name in names if name.startswith("lib/") or name == "lib0/a"] == REPOSITORIES


async def test_catalog_goes_on_after_last(target: Registry, catalog: Repository) -> None:
    for name in REPOSITORIES:
        await (await open_repository(target, name=name)).push_blob(b"the repository exists")
    answer = await catalog.get("/v2/_catalog?n=3&last=lib/a-b")
    assert answer.json()["repositories"] == REPOSITORIES[2:5]


@pytest.mark.parametrize(("n", "status"), [("0", 200), ("-1", 400), ("x", 400)])
async def test_catalog_n(catalog: Repository, n: str, status: int) -> None:
    answer = await catalog.get(f"/v2/_catalog?n={n}")
    assert answer.status == status
    assert "Link" not in answer.headers
    assert status == 400 or answer.json()["repositories"] == []
