"""`Expect: 100-continue`: nobody is asked for a body that is refused anyway (RFC 9110, section 10.1.1)."""

import pytest
from aiohttp import encode_basic_auth

from tests.conformance.client import Answer, Repository, open_repository, with_query
from tests.conformance.content import MANIFEST, digest_of, image, unique
from tests.conformance.wire import Wire, connect, head
from tests.support.registry import Registry

LARGE = 200_000
WRONG = {"Authorization": encode_basic_auth("admin", "wrong")}


async def ask_first(wire: Wire, method: str, target: str, headers: dict[str, object]) -> Answer:
    """Send a head that waits for leave to send a body, and return the first thing that is said to it."""
    await wire.send(head(method, target, {"Expect": "100-continue", **headers}))
    return await wire.answer()


async def assert_taken(repo: Repository, method: str, target: str, body: bytes, status: int) -> None:
    async with connect(target) as wire:
        fields = {**repo.authorization, "Content-Type": MANIFEST, "Content-Length": len(body)}
        assert (await ask_first(wire, method, target, fields)).status == 100
        await wire.send(body)
        assert (await wire.answer()).status == status


@pytest.mark.parametrize("size", [5, LARGE], ids=["small", "large"])
async def test_a_blob_is_asked_for_before_it_is_read(repo: Repository, size: int) -> None:
    data, session = unique(size), await repo.start()
    await assert_taken(repo, "PATCH", session, data, 202)
    await assert_taken(repo, "PUT", with_query(session, digest=digest_of(data + b"end")), b"end", 201)
    await assert_taken(repo, "POST", repo.url(f"blobs/uploads/?digest={digest_of(data)}"), data, 201)
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data


async def test_a_manifest_is_asked_for_before_it_is_read(repo: Repository) -> None:
    await repo.push(image())
    await assert_taken(repo, "PUT", repo.url("manifests/asked"), image().body, 201)


async def test_a_login_is_asked_for_before_it_is_read(repo: Repository) -> None:
    await assert_taken(repo, "POST", repo.url("/service/token"), b"grant_type=none", 400)


async def test_who_sends_the_body_without_waiting_is_answered_as_well(repo: Repository) -> None:
    session = await repo.start()
    async with connect(session) as wire:
        fields = {**repo.authorization, "Content-Length": 5, "Expect": "100-continue"}
        await wire.send(head("PATCH", session, fields) + b"hello")
        answer = await wire.answer()
        assert (await wire.answer() if answer.status == 100 else answer).status == 202


@pytest.mark.parametrize("authorization", [{}, WRONG], ids=["stranger", "wrong-password"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "blobs/uploads/"), ("PATCH", "blobs/uploads/1"), ("PUT", "manifests/latest")],
)
async def test_who_may_not_push_is_not_asked_for_the_body(
    shared: Registry, authorization: dict[str, str], method: str, path: str
) -> None:
    target = Repository(shared, "private/app").url(path)
    async with connect(target) as wire:
        answer = await ask_first(wire, method, target, {**authorization, "Content-Length": LARGE})
        assert (answer.status, answer.headers["Connection"]) == (401, "close")


async def test_who_may_only_pull_is_not_asked_for_the_body(shared: Registry) -> None:
    repo = await open_repository(shared)
    token = await shared.token(f"repository:{repo.name}:pull")
    target = repo.url("manifests/latest")
    async with connect(target) as wire:
        fields = {"Authorization": f"Bearer {token}", "Content-Length": 5}
        assert (await ask_first(wire, "PUT", target, fields)).status in {401, 403}


@pytest.mark.parametrize(
    ("method", "path", "fields", "status"),
    [
        ("PUT", "manifests/latest", {"Content-Length": 100 << 20}, 413),
        ("PUT", "manifests/-", {"Content-Length": 5}, 400),
        ("POST", "blobs/uploads/?digest=nonsense", {"Content-Length": 5}, 400),
        ("PATCH", "blobs/uploads/00000000-0000-4000-8000-000000000000", {"Content-Length": LARGE}, 404),
        ("PATCH", "blobs/uploads/nonsense", {"Content-Length": 5}, 404),
    ],
)
async def test_what_the_head_alone_makes_wrong_is_refused_without_the_body(
    repo: Repository, method: str, path: str, fields: dict[str, object], status: int
) -> None:
    target = repo.url(path)
    async with connect(target) as wire:
        answer = await ask_first(wire, method, target, {**repo.authorization, **fields})
        assert (answer.status, bool(answer.code)) == (status, True)


async def test_a_chunk_out_of_order_is_refused_without_the_body(repo: Repository) -> None:
    session = await repo.start()
    async with connect(session) as wire:
        fields = {**repo.authorization, "Content-Length": LARGE, "Content-Range": f"7-{LARGE + 6}"}
        assert (await ask_first(wire, "PATCH", session, fields)).status == 416
