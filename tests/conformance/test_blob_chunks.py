"""Pushing a blob in chunks (end-5, 6), asking how far it came (end-13), and cancelling it (end-14)."""

import pytest

from tests.conformance.client import Answer, Repository
from tests.conformance.content import digest_of, unique

every_algorithm = pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
how_it_ends = pytest.mark.parametrize("put_last", [False, True], ids=["empty-put", "last-chunk-in-put"])

CHUNK = 1024


def spans(size: int, chunk: int = CHUNK) -> list[tuple[int, int]]:
    return [(start, min(start + chunk, size)) for start in range(0, size, chunk)]


async def smallest_chunk(repo: Repository) -> int:
    answer = await repo.send("POST", "blobs/uploads/")
    return max(CHUNK, int(answer.headers.get("OCI-Chunk-Min-Length", "0")))


async def send_chunk(repo: Repository, location: str, data: bytes, span: tuple[int, int]) -> Answer:
    start, stop = span
    return await repo.patch(location, data[start:stop], f"{start}-{stop - 1}")


async def accept_chunk(repo: Repository, location: str, data: bytes, span: tuple[int, int]) -> str:
    """Send a chunk that must be taken; return where the next one goes."""
    answer = await send_chunk(repo, location, data, span)
    assert (answer.status, answer.body) == (202, b"")
    assert answer.upload_end == span[1] - 1
    return answer.location


@every_algorithm
@how_it_ends
@pytest.mark.parametrize("chunks", [1, 3])
async def test_end_5_chunks_make_the_blob(
    repo: Repository, algorithm: str, put_last: bool, chunks: int
) -> None:
    chunk = await smallest_chunk(repo)
    data = unique(chunk * chunks - 5)
    location = await repo.start()
    parts = spans(len(data), chunk)
    for part in parts[:-1] if put_last else parts:
        location = await accept_chunk(repo, location, data, part)
    start, stop = parts[-1]
    rest = (data[start:stop], f"{start}-{stop - 1}") if put_last else ()
    answer = await repo.close(location, digest_of(data, algorithm), *rest)
    assert answer.status == 201
    assert (await repo.get(answer.location)).body == data


@every_algorithm
@how_it_ends
async def test_wrong_digest_after_chunks_is_400(repo: Repository, algorithm: str, put_last: bool) -> None:
    """The official suite never sends the last chunk of this case in the PUT."""
    data, wrong = unique(CHUNK * 2), digest_of(b"another", algorithm)
    location = await accept_chunk(repo, await repo.start(), data, (0, CHUNK))
    if put_last:
        answer = await repo.close(location, wrong, data[CHUNK:], f"{CHUNK}-{2 * CHUNK - 1}")
    else:
        answer = await repo.close(await accept_chunk(repo, location, data, (CHUNK, 2 * CHUNK)), wrong)
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
    assert (await repo.head(f"blobs/{wrong}")).status == 404
    assert (await repo.head(f"blobs/{digest_of(data, algorithm)}")).status == 404


@every_algorithm
@how_it_ends
async def test_out_of_order_chunk_is_416_and_the_upload_survives(
    repo: Repository, algorithm: str, put_last: bool
) -> None:
    data = unique(CHUNK * 3 - 5)
    digest = digest_of(data, algorithm)
    location, sent = await repo.start(), 0
    parts = spans(len(data))
    for number, (start, stop) in enumerate(parts):
        bad = parts[number + 1] if number + 1 < len(parts) else parts[0]
        refused = await send_chunk(repo, location, data, bad)
        assert (refused.status, refused.code) == (416, "BLOB_UPLOAD_INVALID")
        status = await repo.get(refused.location)
        assert (status.status, status.body) == (204, b"")
        assert status.upload_end == refused.upload_end == max(sent - 1, 0)
        location = status.location
        if put_last and stop == len(data):
            break
        location, sent = await accept_chunk(repo, location, data, (start, stop)), stop
    rest = (data[sent:], f"{sent}-{len(data) - 1}") if put_last else ()
    closed = await repo.close(location, digest, *rest)
    assert closed.status == 201
    assert (await repo.get(f"blobs/{digest}")).body == data


@every_algorithm
async def test_end_6_out_of_order_last_chunk_is_416(repo: Repository, algorithm: str) -> None:
    data = unique(CHUNK * 2)
    digest = digest_of(data, algorithm)
    location = await accept_chunk(repo, await repo.start(), data, (0, CHUNK))
    for start in (0, CHUNK - 1, CHUNK + 1):
        refused = await repo.close(location, digest, data[start:], f"{start}-{len(data) - 1}")
        assert (refused.status, refused.code) == (416, "BLOB_UPLOAD_INVALID")
        # The suite asks the very URL that failed, `?digest=` and all.
        status = await repo.get(refused.url)
        assert (status.status, status.upload_end) == (204, CHUNK - 1)
    closed = await repo.close(location, digest, data[CHUNK:], f"{CHUNK}-{len(data) - 1}")
    assert closed.status == 201


@pytest.mark.parametrize("start", [0, 1, CHUNK - 1, CHUNK + 1, 2 * CHUNK, 10**15])
async def test_chunk_that_does_not_follow_the_last_is_416(repo: Repository, start: int) -> None:
    location = await accept_chunk(repo, await repo.start(), unique(CHUNK), (0, CHUNK))
    refused = await repo.patch(location, b"x" * CHUNK, f"{start}-{start + CHUNK - 1}")
    assert (refused.status, refused.code) == (416, "BLOB_UPLOAD_INVALID")
    assert refused.upload_end == CHUNK - 1


async def test_first_chunk_must_begin_at_zero(repo: Repository) -> None:
    refused = await repo.patch(await repo.start(), b"x" * CHUNK, f"1-{CHUNK}")
    assert (refused.status, refused.code) == (416, "BLOB_UPLOAD_INVALID")


@pytest.mark.parametrize(
    "span", ["abc", "5-0", "-5", "0-", "0-1023/1024x", "0-1023-5", "1,2", "\u0661-\u0662"]
)
async def test_content_range_that_is_none_is_refused(repo: Repository, span: str) -> None:
    location = await repo.start()
    answer = await repo.patch(location, b"x" * CHUNK, span)
    assert answer.status in {400, 416}
    assert answer.code in {"BLOB_UPLOAD_INVALID", "SIZE_INVALID"}
    assert (await repo.get(location)).status == 204


@pytest.mark.parametrize("span", ["0-1022", "0-1024", "0-0"])
async def test_content_range_of_another_length_than_the_body_is_refused(repo: Repository, span: str) -> None:
    location = await repo.start()
    answer = await repo.patch(location, b"x" * CHUNK, span)
    assert answer.status in {400, 416}
    assert answer.code in {"BLOB_UPLOAD_INVALID", "SIZE_INVALID"}
    assert await accept_chunk(repo, location, b"y" * CHUNK, (0, CHUNK))


@pytest.mark.parametrize("form", ["bytes 0-1023/*", "bytes=0-1023", "bytes 0-1023/1024"])
async def test_content_range_as_http_writes_it_is_taken_or_refused_whole(repo: Repository, form: str) -> None:
    """The specification knows `0-1023` alone; some clients write what RFC 9110 says."""
    location = await repo.start()
    answer = await repo.patch(location, b"x" * CHUNK, form)
    assert answer.status in {202, 400, 416}
    assert (await repo.get(location)).upload_end == (CHUNK - 1 if answer.status == 202 else 0)


async def test_chunks_without_content_range_follow_one_another(repo: Repository) -> None:
    data = unique(CHUNK * 2)
    first = await repo.patch(await repo.start(), data[:CHUNK])
    second = await repo.patch(first.location, data[CHUNK:])
    assert (first.status, first.upload_end) == (202, CHUNK - 1)
    assert (second.status, second.upload_end) == (202, 2 * CHUNK - 1)
    assert (await repo.close(second.location, digest_of(data))).status == 201


async def test_end_13_status_follows_the_upload(repo: Repository) -> None:
    location = await repo.start()
    fresh = await repo.get(location)
    assert (fresh.status, fresh.upload_end) == (204, 0)
    location = await accept_chunk(repo, fresh.location, unique(CHUNK), (0, CHUNK))
    status = await repo.get(location)
    assert (status.status, status.body, status.upload_end) == (204, b"", CHUNK - 1)
    assert status.headers["Docker-Upload-UUID"] in status.location


async def test_old_locations_of_the_session_go_on_working(repo: Repository) -> None:
    """Spec: the URL may come from "any preceding POST or PATCH request"."""
    first = await repo.start()
    await accept_chunk(repo, first, unique(CHUNK), (0, CHUNK))
    assert (await repo.get(first)).upload_end == CHUNK - 1


async def test_upload_with_a_wrong_digest_can_be_closed_or_is_gone(repo: Repository) -> None:
    location = await repo.start()
    data = unique(CHUNK)
    location = await accept_chunk(repo, location, data, (0, CHUNK))
    assert (await repo.close(location, digest_of(b"other"))).status == 400
    again = await repo.close(location, digest_of(data))
    assert again.status in {201, 404}
    assert (await repo.head(f"blobs/{digest_of(data)}")).status == (200 if again.status == 201 else 404)


@pytest.mark.parametrize("chunks", [0, 2])
async def test_end_14_cancel(repo: Repository, chunks: int) -> None:
    data = unique(CHUNK * 2)
    location = await repo.start()
    for part in spans(CHUNK * chunks):
        location = await accept_chunk(repo, location, data, part)
    cancelled = await repo.delete(location)
    assert (cancelled.status, cancelled.body) == (204, b"")
    for answer in (
        await repo.get(location),
        await repo.patch(location, b"more"),
        await repo.close(location, digest_of(data)),
        await repo.delete(location),
    ):
        assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")


async def test_end_14_cancel_leaves_other_sessions_alone(repo: Repository) -> None:
    one, two = await repo.start(), await repo.start()
    assert (await repo.delete(one)).status == 204
    assert (await repo.get(two)).status == 204
