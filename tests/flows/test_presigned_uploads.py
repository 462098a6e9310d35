"""Uploads by signed URLs: bytes do not pass through the registry, and nothing unverified is visible."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.blobs.expire import expire_uploads
from tests.conformance.client import Repository, open_repository
from tests.conformance.content import digest_of, unique
from tests.conformance.files import all_files
from tests.conformance.serving import settings_for
from tests.flows.presigned import Uploader, left_in
from tests.support.eventually import until
from tests.support.fakegcs import GcsBucket
from tests.support.places import Place
from tests.support.registry import Registry, running_registry

pytestmark = pytest.mark.slow

PART = 5 << 20


@pytest.mark.parametrize("size", [0, 1, 70_000, PART + 1])
@pytest.mark.parametrize("is_known", [False, True])
async def test_what_is_sent_to_the_storage_is_there_once_it_is_closed(
    client: Uploader, repo: Repository, on_storage: Registry, tmp_path: Path, size: int, *, is_known: bool
) -> None:
    data = unique(size)[:size]
    session = await client.send(data, **({"digest": digest_of(data)} if is_known else {}), size=str(size))
    assert (await repo.head(f"blobs/{digest_of(data)}")).status == 404
    closed = await repo.close(session, digest_of(data))
    assert (closed.status, closed.headers["Docker-Content-Digest"]) == (201, digest_of(data))
    assert (await repo.get(closed.location)).body == data
    assert (await repo.get(session)).status == 404
    assert await left_in(on_storage) == []
    assert all_files(tmp_path) == []


async def test_the_answer_says_where_how_and_until_when(client: Uploader, repo: Repository) -> None:
    signed = await client.sign(await repo.start(), digest=digest_of(b"four"), size="4")
    assert set(signed) == {"presigned_url", "expires_at", "headers"}
    assert signed["headers"]["Content-Length"] == "4"
    lifetime = datetime.fromisoformat(signed["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < lifetime <= timedelta(hours=1)
    assert (await client.ask(await repo.start())).headers["Cache-Control"] == "no-store"


async def test_parts_are_signed_for_as_they_share_the_bytes(client: Uploader, repo: Repository) -> None:
    data = unique(2 * PART + 3)
    session, offset = await repo.start(), 0
    signed = await client.sign(session, parts="2", size=str(len(data)))
    for part in signed["parts"]:
        size = int(part["headers"]["Content-Length"])
        assert await client.put(part, data[offset : offset + size]) < 300
        offset += size
    listed = (await repo.get(f"{session}?list_parts=true")).json()["parts"]
    assert [part["part_number"] for part in listed] == [1, 2]
    assert sum(part["size_bytes"] for part in listed) == offset == len(data)
    assert (await repo.close(session, digest_of(data))).status == 201
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data


async def test_parts_are_sent_in_any_order_and_again(client: Uploader, repo: Repository) -> None:
    data, session = unique(2 * PART + 1), await repo.start()
    pieces = [data[:PART], data[PART : 2 * PART], data[2 * PART :]]
    several = await client.sign(session, part_number="2", parts="2")
    assert [part["part_number"] for part in several["parts"]] == [2, 3]
    assert await client.put(several["parts"][1], pieces[2]) < 300
    early = await repo.close(session, digest_of(data))
    assert (early.status, early.code) == (400, "BLOB_UPLOAD_INVALID")
    assert "part 1 is missing" in early.json()["errors"][0]["detail"]
    assert await client.put(await client.sign(session, part_number="1"), pieces[0]) < 300
    assert await client.put(several["parts"][0], pieces[1]) < 300
    assert (await repo.close(session, digest_of(data))).status == 201


@pytest.mark.parametrize(
    "query",
    [
        {"parts": "0"},
        {"parts": "1001"},
        {"part_number": "10001"},
        {"part_number": "x"},
        {"part_number": "10000", "parts": "2"},
        {"size": "-1"},
        {"size": "9" * 30},
        {"parts": "2", "size": "1"},
        {"digest": "sha256:short"},
    ],
)
async def test_what_makes_no_sense_is_answered_400(
    client: Uploader, repo: Repository, query: dict[str, str]
) -> None:
    answer = await client.ask(await repo.start(), **query)
    assert (answer.status, answer.code[-7:]) == (400, "INVALID")


@pytest.mark.parametrize("place", ["s3"], indirect=True)
async def test_parts_that_the_storage_would_not_take_are_not_signed_for(
    client: Uploader, repo: Repository
) -> None:
    small = await client.ask(await repo.start(), parts="2", size=str(PART))
    assert (small.status, small.code) == (400, "BLOB_UPLOAD_INVALID")
    large = await client.ask(await repo.start(), size=str((5 << 30) + 1))
    assert (large.status, large.code) == (400, "BLOB_UPLOAD_INVALID")
    assert "by `parts`" in large.json()["errors"][0]["detail"]
    assert (await client.ask(await repo.start(), size=str(5 << 30))).status == 200


async def test_who_cannot_push_learns_nothing(on_storage: Registry, repo: Repository) -> None:
    session = await repo.start()
    reader = await open_repository(on_storage, "pull", repo.name)
    known = await Uploader(reader).ask(session)
    unknown = await Uploader(reader).ask(f"{session[:-4]}0000")
    stranger = await Uploader(Repository(on_storage, repo.name)).ask(session)
    assert (known.status, unknown.status, stranger.status) == (401, 401, 401)
    assert known.json() == unknown.json()


async def test_unknown_and_expired_sessions_are_told_apart(
    database_url: str, place: Place, tmp_path: Path
) -> None:
    settings = settings_for(database_url, tmp_path, uploads_expiry="1", **place.settings)
    async with running_registry(settings) as registry:
        repo = await open_repository(registry)
        client, session = Uploader(repo), await repo.start()
        signed = await client.sign(session)
        assert await client.put(signed, b"bytes") < 300
        await until(lambda: repo.get(session), lambda answer: answer.status == 404)
        over = await client.ask(session)
        assert (over.status, over.code) == (410, "BLOB_UPLOAD_UNKNOWN")
        assert (await repo.close(session, digest_of(b"bytes"))).status == 404
        assert await expire_uploads(registry.resources) > 0
        assert await left_in(registry) == []
        await client.send_late(registry, signed, b"bytes")
        assert (await client.ask(session)).status == 404


async def test_a_storage_that_cannot_sign_says_so(
    database_url: str, gcs_bucket: GcsBucket, tmp_path: Path
) -> None:
    nobody = gcs_bucket.below(uuid4().hex).settings | {"storage_credentials_file": ""}
    async with running_registry(settings_for(database_url, tmp_path, **nobody)) as registry:
        repo = await open_repository(registry)
        answer = await Uploader(repo).ask(await repo.start())
        assert (answer.status, answer.code) == (400, "UNSUPPORTED")
        assert "cannot sign" in answer.json()["errors"][0]["message"]


async def test_a_url_takes_just_as_many_bytes_as_were_said(client: Uploader, repo: Repository) -> None:
    session = await repo.start()
    signed = await client.sign(session, size="4")
    await client.put(signed | {"headers": {}}, b"fives")
    early = await repo.close(session, digest_of(b"fives"))
    assert (early.status, early.code) == (400, "BLOB_UPLOAD_INVALID")
    assert await client.put(signed, b"four") < 300
    assert (await repo.close(session, digest_of(b"four"))).status == 201


@pytest.mark.parametrize("is_first", [False, True])
async def test_bytes_come_by_one_way_or_the_other(
    client: Uploader, repo: Repository, *, is_first: bool
) -> None:
    if not is_first:
        await repo.push_blob(b"makes the repository")
    session = await client.send(b"direct")
    for answer in (
        await repo.patch(session, b"more"),
        await repo.patch(session, unique(100_000)),
        await repo.close(session, digest_of(b"directmore"), b"more"),
        await repo.close(session, digest_of(b"more"), b"more"),
    ):
        assert (answer.status, answer.code) == (400, "BLOB_UPLOAD_INVALID")
        assert "signed URLs" in answer.json()["errors"][0]["detail"]
    assert (await repo.close(session, digest_of(b"direct"))).status == 201
    patched = (await repo.patch(await repo.start(), b"here")).location
    refused = await client.ask(patched)
    assert (refused.status, refused.code) == (400, "BLOB_UPLOAD_INVALID")
    assert (await repo.close(patched, digest_of(b"here"))).status == 201


async def test_urls_that_are_asked_for_at_once_are_of_one_upload(
    client: Uploader, repo: Repository, on_storage: Registry
) -> None:
    session = await repo.start()
    signed = await asyncio.gather(*(client.sign(session, part_number=str(n)) for n in (1, 2, 3)))
    for part, content in zip(signed, (bytes(PART), bytes(PART), b"end"), strict=True):
        assert await client.put(part, content) < 300
    whole = bytes(2 * PART) + b"end"
    assert (await repo.close(session, digest_of(whole))).status == 201
    assert await left_in(on_storage) == []


async def test_a_cancelled_upload_leaves_nothing_and_what_comes_later_is_nobodys(
    client: Uploader, repo: Repository, on_storage: Registry
) -> None:
    session = await repo.start()
    signed = await client.sign(session)
    assert await client.put(signed, b"bytes") < 300
    assert (await repo.delete(session)).status == 204
    assert await left_in(on_storage) == []
    await client.send_late(on_storage, signed, b"bytes")
    assert (await client.ask(session)).status == 404


async def test_what_the_quota_has_no_room_for_is_neither_signed_for_nor_taken(
    client: Uploader, repo: Repository, on_storage: Registry
) -> None:
    await repo.push_blob(b"makes the project")
    project = repo.name.partition("/")[0]
    await limit(on_storage, project, 1000)
    assert (await client.ask(await repo.start(), size="1001")).code == "DENIED"
    fitting = await repo.start()
    assert (await client.ask(fitting, size="1000")).status == 200
    assert (await repo.delete(fitting)).status == 204
    answer = await repo.close(await client.send(bytes(1001)), digest_of(bytes(1001)))
    assert (answer.status, answer.code) == (403, "DENIED")
    assert (await repo.head(f"blobs/{digest_of(bytes(1001))}")).status == 404
    assert (await repo.close(await client.send(bytes(1000)), digest_of(bytes(1000)))).status == 201


async def test_room_is_kept_for_an_upload_until_it_ends(
    client: Uploader, repo: Repository, on_storage: Registry
) -> None:
    await repo.push_blob(b"makes the project")
    await limit(on_storage, repo.name.partition("/")[0], 1000)
    first, second = await repo.start(), await repo.start()
    assert (await client.ask(first, size="600")).status == 200
    refused = await client.ask(second, size="500")
    assert (refused.status, refused.code) == (403, "DENIED")
    assert "kept for uploads under way 600 bytes" in refused.json()["errors"][0]["message"]
    assert (await client.ask(first, size="1000")).status == 200  # its own does not stand in its way
    assert (await repo.patch(await repo.start(), bytes(70_000))).status == 403
    assert (await repo.delete(first)).status == 204
    assert (await client.ask(second, size="500")).status == 200


async def test_no_room_is_kept_for_an_upload_that_takes_no_signed_urls(
    client: Uploader, repo: Repository, on_storage: Registry
) -> None:
    await repo.push_blob(b"makes the project")
    await limit(on_storage, repo.name.partition("/")[0], 1000)
    through_us = (await repo.patch(await repo.start(), b"bytes")).location
    assert (await client.ask(through_us, size="600")).status == 400
    assert (await client.ask(await repo.start(), size="600")).status == 200


async def test_of_uploads_that_ask_at_once_only_those_that_fit_together_are_told_so(
    client: Uploader, repo: Repository, on_storage: Registry
) -> None:
    await repo.push_blob(b"makes the project")
    await limit(on_storage, repo.name.partition("/")[0], 1000)
    sessions = [await repo.start() for _ in range(8)]
    answers = await asyncio.gather(*(client.ask(session, size="300") for session in sessions))
    assert sorted(answer.status for answer in answers) == [200] * 3 + [403] * 5


async def limit(registry: Registry, project: str, hard_bytes: int) -> None:
    api, basic = f"{registry.url}/api/v2.0", registry.basic
    async with registry.session.get(f"{api}/projects/{project}", headers=basic) as answer:
        project_id: Any = (await answer.json())["project_id"]
    body = {"hard": {"storage": hard_bytes}}
    async with registry.session.put(f"{api}/quotas/{project_id}", json=body, headers=basic) as answer:
        assert answer.status == 200


async def test_nothing_is_signed_for_while_the_system_is_read_only(
    client: Uploader, repo: Repository, on_storage: Registry
) -> None:
    session = await repo.start()
    await configure(on_storage, read_only=True)
    refused = await client.ask(session)
    assert (refused.status, refused.code) == (403, "DENIED")
    await configure(on_storage, read_only=False)
    assert (await client.ask(session)).status == 200


async def configure(registry: Registry, **values: bool) -> None:
    url = f"{registry.url}/api/v2.0/configurations"
    async with registry.session.put(url, json=values, headers=registry.basic) as answer:
        assert answer.status == 200
