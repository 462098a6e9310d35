"""Calling servers that users name: not what the operator does not allow, by whatever way."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from app.outgoing import TLS, Answer, Call, Caller, CallFailed, open_caller
from app.settings import OutgoingSettings
from tests.outgoing.certificates import authority, server_context
from tests.support.consumer import Consumer, Received, running_consumer, stall
from tests.support.servers import free_ports


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    """One that may call this machine."""
    async with open_caller(OutgoingSettings(allow="127.0.0.0/8, ::1")) as opened:
        yield opened


@pytest.fixture
async def guarded() -> AsyncIterator[Caller]:
    """One as it is where the operator says nothing."""
    async with open_caller(OutgoingSettings()) as opened:
        yield opened


@pytest.fixture
async def consumer() -> AsyncIterator[Consumer]:
    async with running_consumer() as running:
        yield running


@pytest.fixture
async def other() -> AsyncIterator[Consumer]:
    async with running_consumer() as running:
        yield running


async def post(caller: Caller, url: str, *, tls: TLS | None = None, seconds: float = 5.0) -> Answer:
    return await caller.post(
        Call(
            url=url,
            body=b"body",
            headers={"Content-Type": "text/plain", "webhook-id": "1"},
            own_headers={"Authorization": "Bearer secret", "webhook-signature": "v1,x", "X-Own": "own"},
            tls=tls or TLS(),
            timeout_seconds=seconds,
        )
    )


def redirecting(status: int, url: str) -> web.Response:
    return web.Response(status=status, headers={"Location": url})


async def test_what_is_allowed_is_called_with_everything_and_nothing_besides(
    caller: Caller, consumer: Consumer
) -> None:
    consumer.answer = lambda _: web.Response(status=201, text="taken", headers={"Set-Cookie": "a=b"})
    assert await post(caller, consumer.url) == Answer(201, "", b"taken")
    await post(caller, consumer.url)
    for received in consumer.received:
        assert received.body == b"body"
        assert received.headers["authorization"] == "Bearer secret"
        assert received.headers["x-own"] == "own"
        assert received.headers["user-agent"] == "roadstead"
        assert "cookie" not in received.headers


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "2130706433",
        "0.0.0.0",  # noqa: S104 - refused
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::]",
    ],
)
async def test_this_machine_is_not_called_however_it_is_written(
    guarded: Caller, consumer: Consumer, host: str
) -> None:
    port = consumer.url.rpartition(":")[2]
    with pytest.raises(CallFailed) as failed:
        await post(guarded, f"http://{host}:{port}")
    assert not consumer.received
    assert "127.0.0.1" not in str(failed.value).replace(host, "")


async def test_a_refusal_names_the_setting_and_not_the_address(guarded: Caller, consumer: Consumer) -> None:
    with pytest.raises(CallFailed) as failed:
        await post(guarded, consumer.url.replace("127.0.0.1", "localhost"))
    assert str(failed.value) == (
        "localhost is in no network that may be called; the operator can allow it by ROADSTEAD_OUTGOING_ALLOW"
    )


async def test_a_redirect_is_checked_again(consumer: Consumer, other: Consumer) -> None:
    """The first server is called by a name whose address is allowed, the second by one that is not."""
    async with open_caller(OutgoingSettings(allow="127.0.0.1", deny="127.0.0.2")) as caller:
        consumer.answer = lambda _: redirecting(307, other.url.replace("127.0.0.1", "127.0.0.2"))
        with pytest.raises(CallFailed, match=r"127\.0\.0\.2 is in no network that may be called"):
            await post(caller, consumer.url)
        assert len(consumer.received) == 1
        assert not other.received


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_that_keeps_the_method_is_followed_without_what_is_secret(
    caller: Caller, consumer: Consumer, other: Consumer, status: int
) -> None:
    consumer.answer = lambda _: redirecting(status, other.url.replace("http://", "http://user:word@"))
    assert (await post(caller, consumer.url)).status == 200
    (received,) = other.received
    assert received.body == b"body"
    assert received.headers["webhook-id"] == "1"
    assert not {"authorization", "webhook-signature", "x-own"} & received.headers.keys()


async def test_a_redirect_within_a_server_takes_everything_along(caller: Caller, consumer: Consumer) -> None:
    def answer(received: Received) -> web.Response:
        return redirecting(307, "/elsewhere") if received.path == "/hook" else web.Response()

    consumer.answer = answer
    assert (await post(caller, consumer.url)).status == 200
    assert [each.path for each in consumer.received] == ["/hook", "/elsewhere"]
    assert consumer.received[1].headers["authorization"] == "Bearer secret"


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_redirect_that_would_become_a_get_is_an_answer(
    caller: Caller, consumer: Consumer, other: Consumer, status: int
) -> None:
    consumer.answer = lambda _: redirecting(status, other.url)
    assert (await post(caller, consumer.url)).status == status
    assert not other.received


async def test_three_redirects_are_followed_and_no_more(caller: Caller, consumer: Consumer) -> None:
    consumer.answer = lambda _: redirecting(307, consumer.url)
    with pytest.raises(CallFailed, match="more than 3 redirects"):
        await post(caller, consumer.url)
    assert len(consumer.received) == 4


@pytest.mark.parametrize("location", ["ftp://example.org/", "file:///etc/passwd", "http://[", "gopher:x"])
async def test_a_redirect_to_what_is_not_http_fails(
    caller: Caller, consumer: Consumer, location: str
) -> None:
    consumer.answer = lambda _: redirecting(307, location)
    with pytest.raises(CallFailed, match="of http:// or https://"):
        await post(caller, consumer.url)


@pytest.mark.parametrize("ends", [True, False])
async def test_what_is_answered_counts_although_the_body_is_late_or_ends_too_soon(
    caller: Caller, *, ends: bool
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"body")
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\ntaken")
        if not ends:
            await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert await post(caller, url, seconds=0.3) == Answer(202, "", b"taken")


async def test_only_the_first_bytes_of_an_endless_answer_are_read(caller: Caller, consumer: Consumer) -> None:
    async def answer(_: Received) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(consumer.request)
        while True:
            await response.write(b"x" * 4096)

    consumer.answer = answer
    answered = await post(caller, consumer.url)
    assert answered == Answer(200, "", b"x" * 1024)


async def test_a_server_that_stalls_is_given_up_after_the_timeout(caller: Caller, consumer: Consumer) -> None:
    consumer.answer = stall
    began = time.monotonic()
    with pytest.raises(CallFailed, match=r"no answer within 0\.1 s"):
        await post(caller, consumer.url, seconds=0.1)
    assert time.monotonic() - began < 2


async def test_what_answers_nothing_in_http_fails_with_words(caller: Caller) -> None:
    (port,) = free_ports(1)
    with pytest.raises(CallFailed, match=f"^no connection to 127.0.0.1:{port}$"):
        await post(caller, f"http://127.0.0.1:{port}")
    with pytest.raises(CallFailed, match=r"^no connection to does-not-exist\.invalid:80$"):
        await post(caller, "http://does-not-exist.invalid")
    with pytest.raises(CallFailed, match="http:// or https://"):
        await post(caller, "ftp://127.0.0.1")


async def test_garbage_is_no_answer(caller: Caller) -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\xff garbage \r\n\r\n")
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(CallFailed, match="no answer in HTTP"):
            await post(caller, f"http://127.0.0.1:{port}")


async def test_the_environment_names_no_proxy(
    caller: Caller, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert (await post(caller, consumer.url)).status == 200


async def test_a_certificate_is_verified_by_name_and_authority(caller: Caller, tmp_path: Path) -> None:
    own = TLS(ca_certificate=authority())
    async with running_consumer(server_context(tmp_path, "localhost")) as consumer:
        named = consumer.url.replace("127.0.0.1", "localhost")
        assert (await post(caller, named, tls=own)).status == 200
        assert (await post(caller, consumer.url, tls=TLS(is_verified=False))).status == 200
        with pytest.raises(CallFailed, match="certificate is not trusted: IP address mismatch"):
            await post(caller, consumer.url, tls=own)
        with pytest.raises(CallFailed, match="certificate is not trusted: unable to get local issuer"):
            await post(caller, named)
        with pytest.raises(CallFailed, match="not one in PEM"):
            await post(caller, named, tls=TLS(ca_certificate="none"))


async def test_a_redirect_never_leads_out_of_tls(caller: Caller, consumer: Consumer, tmp_path: Path) -> None:
    async with running_consumer(server_context(tmp_path, "localhost")) as secure:
        secure.answer = lambda _: redirecting(308, consumer.url)
        with pytest.raises(CallFailed, match="from https:// to http://"):
            await post(caller, secure.url, tls=TLS(is_verified=False))
        assert not consumer.received


async def test_calls_of_the_same_moment_share_a_look_up_and_each_socket_is_checked() -> None:
    async with running_consumer() as consumer, open_caller(OutgoingSettings(allow="::1")) as caller:
        url = consumer.url.replace("127.0.0.1", "localhost")
        failures = await asyncio.gather(*(post(caller, url) for _ in range(20)), return_exceptions=True)
        assert {type(failure) for failure in failures} == {CallFailed}
        assert not consumer.received
