"""Uploads that break off, lie about their length, crawl, or get in each other's way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.conformance.client import Answer, Repository, with_query
from tests.conformance.content import digest_of, unique
from tests.conformance.files import upload_files
from tests.conformance.wire import Wire, ask, connect, head
from tests.support.eventually import until

SIZE = 300_000
SENT = 200_000

Cut = Callable[[Wire], None]


def abort(wire: Wire) -> None:
    wire.cut()


def finish_early(wire: Wire) -> None:
    wire.writer.write_eof()


ways_to_cut = pytest.mark.parametrize("cut", [abort, finish_early], ids=["reset", "half-close"])


def framed(data: bytes, *, is_chunked: bool) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if is_chunked else data


def announced(size: int, *, is_chunked: bool) -> dict[str, str]:
    return {"Transfer-Encoding": "chunked"} if is_chunked else {"Content-Length": str(size)}


async def until_no_more_files(root: Path, before: list[Path]) -> None:
    """Wait until all files of uploads that were begun since then are gone."""
    await until(lambda: asyncio.to_thread(upload_files, root), lambda files: set(files) <= set(before))


async def position(repo: Repository, session: str) -> int:
    """How many bytes the session has, counting from one: `Range: 0-0` is none for these tests."""
    status = await repo.get(session)
    assert status.status == 204, status
    return status.upload_end + 1 if status.upload_end else 0


async def send_rest(repo: Repository, session: str, data: bytes) -> int:
    """Resume where the session stands, once the writer that was cut off has let go; return where that was."""

    async def attempt() -> tuple[Answer, int]:
        start = await position(repo, session)
        span = f"{start}-{len(data) - 1}"
        return await repo.patch(session, data[start:], span), start

    answer, start = await until(attempt, lambda seen: seen[0].status != 409)
    assert answer.status == 202, answer
    return start


@ways_to_cut
@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("kind", ["patch", "patch-range", "put", "put-range"])
async def test_session_survives_a_cut_and_goes_on_from_its_offset(
    repo: Repository, kind: str, is_chunked: bool, cut: Cut
) -> None:
    data, session = unique(SIZE), await repo.start()
    method, _, ranged = kind.partition("-")
    target = session if method == "patch" else with_query(session, digest=digest_of(data))
    span = {"Content-Range": f"0-{SIZE - 1}"} if ranged else {}
    async with connect(session) as wire:
        fields = {**repo.authorization, **announced(SIZE, is_chunked=is_chunked), **span}
        await wire.send(head(method.upper(), target, fields) + framed(data[:SENT], is_chunked=is_chunked))
        cut(wire)
        await wire.wait_closed() if cut is finish_early else None
    start = await send_rest(repo, session, data)
    assert start <= SENT
    closed = await repo.close(session, digest_of(data))
    assert closed.status == 201, closed
    assert (await repo.get(closed.location)).body == data


@ways_to_cut
async def test_cut_after_good_chunks_keeps_them(repo: Repository, cut: Cut) -> None:
    data, session = unique(SIZE), await repo.start()
    assert (await repo.patch(session, data[:SENT], f"0-{SENT - 1}")).status == 202
    async with connect(session) as wire:
        span = {"Content-Range": f"{SENT}-{SIZE - 1}", "Content-Length": str(SIZE - SENT)}
        await wire.send(head("PATCH", session, {**repo.authorization, **span}) + data[SENT : SENT + 10])
        cut(wire)
        await wire.wait_closed() if cut is finish_early else None
    start = await send_rest(repo, session, data)
    assert SENT <= start <= SENT + 10
    assert (await repo.close(session, digest_of(data))).status == 201


@ways_to_cut
@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunked"])
async def test_single_post_cut_off_leaves_nothing(
    repo: Repository, storage_root: Path, is_chunked: bool, cut: Cut
) -> None:
    data, before = unique(SIZE), upload_files(storage_root)
    async with connect(repo.registry.url) as wire:
        target = repo.url(f"blobs/uploads/?digest={digest_of(data)}")
        fields = {**repo.authorization, **announced(SIZE, is_chunked=is_chunked)}
        await wire.send(head("POST", target, fields) + framed(data[:SENT], is_chunked=is_chunked))
        cut(wire)
        await wire.wait_closed() if cut is finish_early else None
    await until_no_more_files(storage_root, before)
    assert (await repo.head(f"blobs/{digest_of(data)}")).status == 404


async def test_whole_blob_digest_of_a_cut_body_is_no_excuse(repo: Repository) -> None:
    """The bytes that came hash to the digest, but more were announced: not complete."""
    data, session = unique(1000), await repo.start()
    async with connect(session) as wire:
        target = with_query(session, digest=digest_of(data))
        await wire.send(head("PUT", target, {**repo.authorization, "Content-Length": "2000"}) + data)
        finish_early(wire)
        await wire.wait_closed()
    assert (await repo.head(f"blobs/{digest_of(data)}")).status == 404


@ways_to_cut
async def test_manifest_cut_off_is_not_stored(repo: Repository, cut: Cut) -> None:
    async with connect(repo.registry.url) as wire:
        fields = {**repo.authorization, "Content-Length": "1000"}
        await wire.send(head("PUT", repo.url("manifests/latest"), fields) + b'{"schemaVersion":2}')
        cut(wire)
        await wire.wait_closed() if cut is finish_early else None
    assert (await repo.get("manifests/latest")).status == 404


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\ndata\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloXX\r\n0\r\n\r\n",
        b"f" * 40 + b"\r\n",
    ],
    ids=["no-hex", "negative", "longer-than-said", "huge"],
)
async def test_broken_chunked_encoding_is_no_upload(repo: Repository, body: bytes) -> None:
    session = await repo.start()
    fields = {**repo.authorization, "Transfer-Encoding": "chunked"}
    answer = await ask(repo.registry, head("PATCH", session, fields) + body)
    assert answer is None or answer.status == 400
    await send_rest(repo, session, unique(1000))


@asynccontextmanager
async def writing(repo: Repository, session: str, root: Path, sent: bytes, size: int) -> AsyncIterator[Wire]:
    """A writer that the server has begun to store the bytes of, in the middle of its chunk."""
    before = upload_files(root)
    async with connect(session) as wire:
        await wire.send(head("PATCH", session, {**repo.authorization, "Content-Length": size}) + sent)
        await until(lambda: asyncio.to_thread(upload_files, root), lambda files: files != before)
        yield wire


async def test_second_writer_is_told_to_come_back(repo: Repository, storage_root: Path) -> None:
    data, session = unique(SIZE), await repo.start()
    async with writing(repo, session, storage_root, data[:SENT], SIZE) as first:
        for second in (
            await repo.patch(session, b"intruder"),
            await repo.patch(session, b"intruder", "0-7"),
            await repo.close(session, digest_of(b"intruder"), b"intruder"),
        ):
            assert (second.status, second.code) == (409, "BLOB_UPLOAD_INVALID")
            assert int(second.headers["Retry-After"]) > 0
        assert (await repo.get(session)).status == 204
        await first.send(data[SENT:])
        answer = await first.answer()
    assert (answer.status, answer.upload_end) == (202, SIZE - 1)
    assert (await repo.close(session, digest_of(data))).status == 201


async def test_cancel_under_a_writer_leaves_nothing(repo: Repository, storage_root: Path) -> None:
    session, before = await repo.start(), upload_files(storage_root)
    async with writing(repo, session, storage_root, unique(SENT), SIZE) as first:
        cancelled = await repo.delete(session)
        assert cancelled.status in {204, 409}
        first.cut()
    await until(lambda: repo.delete(session), lambda answer: answer.status in {204, 404})
    assert (await repo.get(session)).status == 404
    await until_no_more_files(storage_root, before)


@pytest.mark.parametrize("span", ["", "0-999"])
async def test_many_writers_at_once_make_one_upload(repo: Repository, span: str) -> None:
    session, bodies = await repo.start(), [unique(1000) for _ in range(8)]
    answers = await asyncio.gather(*(repo.patch(session, body, span) for body in bodies))
    taken = [body for body, answer in zip(bodies, answers, strict=True) if answer.status == 202]
    assert {answer.status for answer in answers} <= {202, 409, 416}
    assert len(taken) == 1 if span else len(taken) >= 1
    assert await position(repo, session) == 1000 * len(taken)
    if span:
        assert (await repo.close(session, digest_of(taken[0]))).status == 201


async def test_many_closings_at_once_make_one_blob(repo: Repository) -> None:
    data = unique(1000)
    digest, session = digest_of(data), await repo.start()
    assert (await repo.patch(session, data)).status == 202
    answers = await asyncio.gather(*(repo.close(session, digest) for _ in range(8)))
    statuses = sorted(answer.status for answer in answers)
    assert statuses[0] == 201
    assert set(statuses[1:]) <= {404, 409}
    assert (await repo.get(f"blobs/{digest}")).body == data


async def test_same_blob_from_many_clients_is_taken_from_each(repo: Repository, storage_root: Path) -> None:
    data, before = unique(SIZE), upload_files(storage_root)
    digest = digest_of(data)
    answers = await asyncio.gather(
        *(repo.send("POST", f"blobs/uploads/?digest={digest}", data) for _ in range(12))
    )
    assert [answer.status for answer in answers] == [201] * 12
    assert (await repo.get(f"blobs/{digest}")).body == data
    await until_no_more_files(storage_root, before)


async def test_wrong_digests_leave_no_file(repo: Repository, storage_root: Path) -> None:
    wrong, before = digest_of(b"another"), upload_files(storage_root)
    assert (await repo.send("POST", f"blobs/uploads/?digest={wrong}", unique(SIZE))).status == 400
    session = await repo.start()
    assert (await repo.close(session, wrong, unique(SIZE))).status == 400
    await repo.delete(session)
    await until_no_more_files(storage_root, before)


async def test_cancelled_upload_leaves_no_file(repo: Repository, storage_root: Path) -> None:
    session, before = await repo.start(), upload_files(storage_root)
    assert (await repo.patch(session, unique(SIZE))).status == 202
    assert len(upload_files(storage_root)) == len(before) + 1
    assert (await repo.delete(session)).status == 204
    await until_no_more_files(storage_root, before)


@pytest.mark.parametrize("length", [100, 150_000])
async def test_streamed_chunk_of_another_length_than_its_range_is_refused(
    repo: Repository, length: int
) -> None:
    """Without a Content-Length only the bytes themselves can tell."""
    session, data = await repo.start(), unique(length)
    for claimed in (length - 1, length + 1):
        fields = {**repo.authorization, "Transfer-Encoding": "chunked", "Content-Range": f"0-{claimed - 1}"}
        request = head("PATCH", session, fields) + framed(data, is_chunked=True) + b"0\r\n\r\n"
        answer = await ask(repo.registry, request)
        assert answer is not None
        assert (answer.status, answer.code) == (400, "SIZE_INVALID")
    assert await position(repo, session) == 0
    assert (await repo.close(session, digest_of(data), data)).status == 201


async def test_bytes_lost_under_a_session_never_become_a_blob(repo: Repository, storage_root: Path) -> None:
    """A crash or a lost disk may take the file: what replaces it must not be zeros under a good digest."""
    data, before = unique(SIZE), set(upload_files(storage_root))
    digest, session = digest_of(data), await repo.start()
    assert (await repo.patch(session, data)).status == 202
    (file,) = set(upload_files(storage_root)) - before
    file.unlink()
    closed = await repo.close(session, digest)
    assert (closed.status, closed.code) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert (await repo.head(f"blobs/{digest}")).status == 404
    await repo.push_blob(data)
    assert (await repo.get(f"blobs/{digest}")).body == data
