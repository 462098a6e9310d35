"""Requests that no library would send: lengths that lie, headers without end, storms, odd ranges."""

import asyncio
import gzip

import pytest

from tests.conformance.client import Repository, with_query
from tests.conformance.content import MANIFEST, digest_of, image, unique
from tests.conformance.wire import ask, connect, head
from tests.support.eventually import until

MEGABYTE = 1 << 20


async def assert_alive(repo: Repository) -> None:
    data = unique()
    assert (await repo.get(f"blobs/{await repo.push_blob(data)}")).body == data


@pytest.mark.parametrize("length", ["-1", "-0", "+5", "5 5", "5,5", "0x5", "five", "", "1e3", "\u0665"])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_content_length_that_is_no_number_is_400(repo: Repository, length: str, method: str) -> None:
    session = await repo.start()
    target = session if method == "PATCH" else with_query(session, digest=digest_of(b"hello"))
    answer = await ask(
        repo.registry, head(method, target, {**repo.authorization, "Content-Length": length}) + b"hello"
    )
    assert answer is None or answer.status == 400
    await until(lambda: repo.get(session), lambda status: (status.status, status.upload_end) == (204, 0))
    assert (await repo.close(session, digest_of(b"right"), b"right")).status == 201


@pytest.mark.parametrize("length", [2**31, 2**63 - 1, 2**63, 2**64, 10**40])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_huge_content_length_takes_nothing_but_what_comes(
    repo: Repository, length: int, method: str
) -> None:
    session = await repo.start()
    target = session if method == "PATCH" else with_query(session, digest=digest_of(b"hello"))
    async with connect(session) as wire:
        await wire.send(head(method, target, {**repo.authorization, "Content-Length": length}) + b"hello")
        wire.cut()
    await until(lambda: repo.patch(session, b"x", "77-77"), lambda answer: answer.status == 416)
    assert (await repo.get(session)).upload_end in {0, 4}
    assert (await repo.delete(session)).status == 204


@pytest.mark.parametrize(
    "fields",
    [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    ],
)
async def test_two_ways_to_read_a_length_are_refused(repo: Repository, fields: str) -> None:
    """Request smuggling: a proxy could see another end of the body than we do."""
    session = await repo.start()
    request = head("PATCH", session, {**repo.authorization, "X-Before": f"x\r\n{fields}"})
    answer = await ask(repo.registry, request + b"5\r\nhello\r\n0\r\n\r\n")
    assert answer is None or answer.status in {400, 501}
    await until(lambda: repo.get(session), lambda status: (status.status, status.upload_end) == (204, 0))


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("bytes=-9223372036854775809", 206),
        ("bytes=0-9223372036854775808", 206),
        ("bytes=9223372036854775808-", 416),
        ("bytes=-" + "9" * 4000, 206),
        ("bytes=0-" + "9" * 4000, 206),
        ("bytes=" + "9" * 4000 + "-", 416),
        ("bytes=--5", 200),
        ("bytes=-1--5", 200),
        ("bytes=5--1", 200),
        ("bytes=\u0661-\u0662", 200),
        ("bytes=" + ",".join(["0-"] * 1000), 200),
        ("bytes=0-0," + ",".join(f"{n}-{n}" for n in range(1000)), 200),
    ],
)
async def test_odd_ranges(repo: Repository, header: str, status: int) -> None:
    """A range beyond 64 bits is only a large one, and many ranges cost no more than none."""
    data = unique(2048)
    request = head(
        "GET", repo.url(f"blobs/{await repo.push_blob(data)}"), {**repo.authorization, "Range": header}
    )
    answer = await ask(repo.registry, request)
    assert answer is not None
    assert answer.status == status
    assert answer.body == data or status == 416


@pytest.mark.parametrize(
    "fields",
    [
        {"X-Long": "a" * MEGABYTE},
        {"Authorization": "Bearer " + "a" * MEGABYTE},
        {"Authorization": "Basic " + "a" * MEGABYTE},
        {"Range": "bytes=" + "0-," * (MEGABYTE // 3)},
        {"If-None-Match": '"a",' * (MEGABYTE // 4)},
        {f"X-Many-{number}": "a" * 50 for number in range(20_000)},
        {"X" * MEGABYTE: "a"},
    ],
    ids=["long", "bearer", "basic", "range", "etags", "many", "long-name"],
)
async def test_megabyte_of_headers_is_refused(repo: Repository, fields: dict[str, str]) -> None:
    answer = await ask(
        repo.registry, head("GET", repo.url("manifests/latest"), {**repo.authorization, **fields})
    )
    assert answer is None or answer.status in {400, 401, 431}
    await assert_alive(repo)


@pytest.mark.parametrize(
    "target", ["/v2/" + "a/" * (MEGABYTE // 2), "/v2/a/tags/list?last=" + "a" * MEGABYTE]
)
async def test_megabyte_of_url_is_refused(repo: Repository, target: str) -> None:
    answer = await ask(repo.registry, head("GET", target, repo.authorization))
    assert answer is None or answer.status in {400, 414, 431}
    await assert_alive(repo)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /v2/ HTTP/9.9\r\n\r\n",
        b"GET /v2/ HTTP/1.1\r\nNo colon\r\n\r\n",
        b"GET /v2/ HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET http://example.org/v2/ HTTP/1.1\r\nHost: example.org\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\xff" * 1000 + b"\r\n\r\n",
    ],
)
async def test_what_is_hardly_http_harms_nobody(repo: Repository, request_bytes: bytes) -> None:
    async with connect(repo.registry.url) as wire:
        await wire.send(request_bytes)
        wire.writer.write_eof()
        answer = await wire.answer_or_hang_up()
    assert answer is None or 400 <= answer.status < 500
    await assert_alive(repo)


async def test_head_storm_on_one_connection(repo: Repository) -> None:
    """A thousand pipelined requests are answered one by one, in order, without a body."""
    digests = [await repo.push_blob(unique(size)) for size in (10, 20, 30)]
    requests = [head("HEAD", repo.url(f"blobs/{digests[n % 3]}"), repo.authorization) for n in range(1000)]
    async with connect(repo.registry.url) as wire:
        sending = asyncio.create_task(wire.send(b"".join(requests)))
        for number in range(1000):
            answer = await wire.answer("HEAD")
            assert (answer.status, answer.headers["Content-Length"]) == (200, str(10 * (number % 3 + 1)))
        await sending
    await assert_alive(repo)


async def test_head_storm_from_many_connections(repo: Repository) -> None:
    digest = await repo.push_blob(unique())

    async def storm(number: int) -> set[int]:
        path, status = (f"blobs/{digest}", 200) if number % 2 else (f"blobs/{digest_of(b'missing')}", 404)
        async with connect(repo.registry.url) as wire:
            await wire.send(head("HEAD", repo.url(path), repo.authorization) * 20)
            return {(await wire.answer("HEAD")).status - status for _ in range(20)}

    assert set().union(*await asyncio.gather(*(storm(number) for number in range(100)))) == {0}
    await assert_alive(repo)


async def test_connections_that_say_nothing_do_not_keep_others_out(repo: Repository) -> None:
    idle = [connect(repo.registry.url) for _ in range(200)]
    try:
        for connection in idle:
            await connection.__aenter__()
        await assert_alive(repo)
    finally:
        for connection in idle:
            await connection.__aexit__(None, None, None)


@pytest.mark.parametrize("path", ["tags/list?last=%00", "tags/list?last=%ff", "tags/list?last=%ed%a0%80&n=5"])
async def test_odd_last_tag_is_only_a_place_in_the_order(repo: Repository, path: str) -> None:
    await repo.push_blob(b"the repository exists")
    answer = await repo.get(path)
    assert answer.status == 200 or (answer.status == 400 and answer.code)


@pytest.mark.parametrize(
    "query", ["mount=%00", "mount=%ff", "from=%00", "digest=%00", "digest-algorithm=%ff"]
)
async def test_odd_parameters_of_an_upload(repo: Repository, query: str) -> None:
    answer = await repo.send("POST", f"blobs/uploads/?{query}")
    assert answer.status == 202 or (answer.status == 400 and answer.code)
    mounted = await repo.send("POST", f"blobs/uploads/?mount={digest_of(b'none')}&{query}")
    assert mounted.status == 202 or (mounted.status == 400 and mounted.code)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity", "nonsense"])
async def test_upload_is_the_bytes_as_they_were_sent(repo: Repository, encoding: str) -> None:
    """A coding of the request is not undone: fifty bytes on the wire must not become gigabytes here."""
    data = gzip.compress(bytes(20 * MEGABYTE))
    digest, session = digest_of(data), await repo.start()
    fields = {**repo.authorization, "Content-Length": len(data), "Content-Encoding": encoding}
    answer = await ask(repo.registry, head("PATCH", session, fields) + data)
    assert answer is not None
    assert (answer.status, answer.upload_end) == (202, len(data) - 1)
    assert (await repo.close(session, digest)).status == 201
    assert (await repo.get(f"blobs/{digest}")).body == data


async def test_manifest_is_not_unpacked(repo: Repository) -> None:
    await repo.push(image())
    fields = {"Content-Type": MANIFEST, "Content-Encoding": "gzip"}
    answer = await repo.send("PUT", "manifests/latest", gzip.compress(image().body), headers=fields)
    assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=a", b"--a\r\nnonsense"),
        ("multipart/form-data; boundary=a", b"--a\r\nContent-Disposition: form-data; name=x\r\n\r\n"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"grant_type=password"),
        ("application/x-www-form-urlencoded", b"grant_type=password&username=%00&password=%ff"),
        ("application/x-www-form-urlencoded", b"grant_type=password&username=admin&password=wrong"),
        ("application/x-www-form-urlencoded", b"&".join([b"scope=a"] * 5000)),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 5_000_000),
        ("application/json", b"{"),
        ("", b"grant_type=password"),
    ],
)
async def test_form_that_is_none_gives_no_token(repo: Repository, media_type: str, body: bytes) -> None:
    anybody = Repository(repo.registry, repo.name)
    answer = await anybody.send("POST", "/service/token", body, headers={"Content-Type": media_type})
    assert answer.status in {400, 401, 413, 415}
    assert "token" not in answer.json()


@pytest.mark.parametrize("host", ["", 'a"b', "a b", "a\\", "a/b", 'a",x="b', "x" * 3000])
async def test_host_that_is_none_is_not_repeated_in_the_challenge(repo: Repository, host: str) -> None:
    answer = await ask(repo.registry, f"GET /v2/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert answer is not None
    assert answer.status in {400, 401}
    assert host == "" or host not in answer.headers.get("WWW-Authenticate", "")


async def test_continue_is_said_before_the_body_comes(repo: Repository) -> None:
    session = await repo.start()
    async with connect(session) as wire:
        fields = {**repo.authorization, "Content-Length": 5, "Expect": "100-continue"}
        await wire.send(head("PATCH", session, fields))
        assert (await wire.answer()).status == 100
        await wire.send(b"hello")
        assert (await wire.answer()).status == 202


async def test_digest_may_be_escaped_in_the_path(repo: Repository) -> None:
    digest = await repo.push_blob(b"escaped")
    for colon in ("%3A", "%3a"):
        assert (await repo.get(f"blobs/{digest.replace(':', colon)}")).body == b"escaped"


@pytest.mark.parametrize("path", ["/v2/" + "a" * (64 << 10), "/api/v2.0/projects?q=" + "a" * (64 << 10)])
async def test_an_address_that_is_too_long_is_refused_as_json(repo: Repository, path: str) -> None:
    answer = await ask(repo.registry, head("GET", path, {"Connection": "keep-alive"}))
    assert answer is not None
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/json")
    (error,) = answer.json()["errors"]
    assert (error["code"], "too long" in error["message"]) == ("UNSUPPORTED", True)
    assert "aaaa" not in answer.body.decode()
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Server"] == "Roadstead"
    await assert_alive(repo)


async def test_what_is_no_http_is_refused_as_json(repo: Repository) -> None:
    answer = await ask(repo.registry, b"EHLO example.org\r\n\r\n")
    assert answer is not None
    assert (answer.status, answer.json()["errors"][0]["code"]) == (400, "UNSUPPORTED")
