"""Pulling blobs (end-2): bodies, headers, ranges, conditions."""

import pytest

from tests.conformance.client import Repository
from tests.conformance.content import OCTETS, digest_of, unique

DATA = bytes(range(256)) * 8
ALGORITHMS = ("sha256", "sha512")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("data", [b"", b"{}", DATA], ids=["empty", "braces", "2048"])
async def test_end_2_blob_is_what_was_pushed(repo: Repository, data: bytes, algorithm: str) -> None:
    digest = await repo.push_blob(data, algorithm)
    get, head = await repo.get(f"blobs/{digest}"), await repo.head(f"blobs/{digest}")
    assert get.body == data
    for answer in (get, head):
        assert answer.status == 200
        assert answer.headers["Content-Length"] == str(len(data))
        assert answer.headers["Content-Type"] == OCTETS
        assert answer.headers["Docker-Content-Digest"] == digest
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert "Content-Encoding" not in answer.headers


async def test_blob_may_be_cached_for_ever(repo: Repository) -> None:
    answer = await repo.get(f"blobs/{await repo.push_blob(DATA)}")
    assert "immutable" in answer.headers["Cache-Control"]
    assert "max-age=" in answer.headers["Cache-Control"]


async def test_blob_is_visible_only_where_it_was_pushed(repo: Repository, other: Repository) -> None:
    digest = await repo.push_blob(unique())
    await other.push_blob(b"the other repository exists")
    answer = await other.get(f"blobs/{digest}")
    assert (answer.status, answer.code) == (404, "BLOB_UNKNOWN")
    assert (await other.head(f"blobs/{digest}")).status == 404


async def test_blob_under_the_digest_of_another_algorithm_is_unknown(repo: Repository) -> None:
    data = unique()
    await repo.push_blob(data)
    assert (await repo.get(f"blobs/{digest_of(data, 'sha512')}")).status == 404


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("500-1499", 500, 1499),
        ("500-", 500, 2047),
        ("-500", 1548, 2047),
        ("2000-5000", 2000, 2047),
        ("0-0", 0, 0),
        ("2047-", 2047, 2047),
        ("-1", 2047, 2047),
        ("-5000", 0, 2047),
        ("0-", 0, 2047),
        ("0-99999999999999999999999", 0, 2047),
    ],
)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_range_is_206(repo: Repository, asked: str, first: int, last: int, algorithm: str) -> None:
    digest = await repo.push_blob(DATA, algorithm)
    answer = await repo.get(f"blobs/{digest}", Range=f"bytes={asked}")
    assert answer.status == 206
    assert answer.body == DATA[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/2048"
    assert answer.headers["Content-Length"] == str(last - first + 1)
    assert answer.headers["Docker-Content-Digest"] == digest


@pytest.mark.parametrize("asked", ["500-0", "5000-10000", "2048-", "-0", "99999999999999999999999-"])
async def test_range_outside_is_416(repo: Repository, asked: str) -> None:
    answer = await repo.get(f"blobs/{await repo.push_blob(DATA)}", Range=f"bytes={asked}")
    assert answer.status == 416
    assert answer.headers["Content-Range"] == "bytes */2048"
    assert answer.code


@pytest.mark.parametrize("asked", ["0-0", "0-", "-1"])
async def test_no_range_of_an_empty_blob_can_be_satisfied(repo: Repository, asked: str) -> None:
    answer = await repo.get(f"blobs/{await repo.push_blob(b'')}", Range=f"bytes={asked}")
    assert answer.status in {200, 416}  # RFC 9110 leaves both open for a length of zero
    assert answer.status == 200 or answer.headers["Content-Range"] == "bytes */0"


@pytest.mark.parametrize(
    "header", ["lines=0-5", "bytes=", "bytes=-", "bytes=a-b", "bytes", "0-5", "bytes=0x0-0x5", "bytes=-5-10"]
)
async def test_range_that_means_nothing_is_ignored(repo: Repository, header: str) -> None:
    """RFC 9110, 14.2: a header that is no valid byte range is as good as none."""
    answer = await repo.get(f"blobs/{await repo.push_blob(DATA)}", Range=header)
    assert (answer.status, answer.body) == (200, DATA)


async def test_several_ranges_are_answered_with_the_whole(repo: Repository) -> None:
    answer = await repo.get(f"blobs/{await repo.push_blob(DATA)}", Range="bytes=0-1,5-6")
    assert (answer.status, answer.body) == (200, DATA)


async def test_range_means_nothing_to_head(repo: Repository) -> None:
    answer = await repo.head(f"blobs/{await repo.push_blob(DATA)}", Range="bytes=0-9")
    assert (answer.status, answer.headers["Content-Length"]) == (200, "2048")


async def test_pull_resumed_by_range_gives_the_blob(repo: Repository) -> None:
    """Spec, "Resumable Pull"."""
    digest = await repo.push_blob(DATA)
    spans = ("0-699", "700-1399", "1400-")
    parts = [(await repo.get(f"blobs/{digest}", Range=f"bytes={span}")).body for span in spans]
    assert digest_of(b"".join(parts)) == digest


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "{} , W/{}", "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_if_none_match_of_the_same_is_304(repo: Repository, form: str, method: str) -> None:
    path = f"blobs/{await repo.push_blob(DATA)}"
    etag = (await repo.head(path)).headers["ETag"]
    answer = await repo.send(method, path, headers={"If-None-Match": form.replace("{}", etag)})
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["ETag"] == etag


async def test_if_none_match_of_another_is_200(repo: Repository) -> None:
    answer = await repo.get(f"blobs/{await repo.push_blob(DATA)}", If_None_Match='"another"')
    assert (answer.status, answer.body) == (200, DATA)


async def test_if_none_match_goes_before_range(repo: Repository) -> None:
    path = f"blobs/{await repo.push_blob(DATA)}"
    etag = (await repo.head(path)).headers["ETag"]
    assert (await repo.get(path, If_None_Match=etag, Range="bytes=0-9")).status == 304


async def test_if_range_of_the_same_is_206(repo: Repository) -> None:
    path = f"blobs/{await repo.push_blob(DATA)}"
    etag = (await repo.head(path)).headers["ETag"]
    assert (await repo.get(path, If_Range=etag, Range="bytes=0-9")).status == 206


async def test_if_range_of_another_is_the_whole(repo: Repository) -> None:
    answer = await repo.get(f"blobs/{await repo.push_blob(DATA)}", If_Range='"another"', Range="bytes=0-9")
    assert (answer.status, answer.body) == (200, DATA)


async def test_conditions_on_a_missing_blob_are_404(repo: Repository) -> None:
    answer = await repo.get(f"blobs/{digest_of(b'nothing')}", If_None_Match="*")
    assert answer.status == 404


async def test_etags_differ(repo: Repository) -> None:
    one, two = [await repo.head(f"blobs/{await repo.push_blob(data)}") for data in (b"one", b"two")]
    assert one.headers["ETag"] != two.headers["ETag"]


async def test_namespace_parameter_of_a_proxy_is_harmless(repo: Repository) -> None:
    """Spec, "Registry Proxying": a registry may ignore `ns`."""
    answer = await repo.get(f"blobs/{await repo.push_blob(DATA)}?ns=registry.example.org")
    assert (answer.status, answer.body) == (200, DATA)
