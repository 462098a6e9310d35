"""Uploads by signed URLs where content lies in files: the registry signs them, and takes the bytes itself."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession
from yarl import URL

from tests.conformance.client import Repository, open_repository
from tests.conformance.content import digest_of, unique
from tests.conformance.serving import settings_for
from tests.flows.presigned import Uploader, left_in
from tests.support.eventually import until
from tests.support.registry import Registry, running_registry


@pytest.fixture
async def on_files(database_url: str, tmp_path: Path) -> AsyncIterator[Registry]:
    async with running_registry(settings_for(database_url, tmp_path)) as running:
        yield running


@pytest.fixture
async def repo(on_files: Registry) -> Repository:
    return await open_repository(on_files)


def changed(signed: dict[str, Any], **query: str) -> dict[str, Any]:
    url = URL(signed["presigned_url"]).update_query(query)
    return {"presigned_url": str(url), "headers": {}}


async def test_one_put_and_parts_become_blobs(client: Uploader, repo: Repository, on_files: Registry) -> None:
    for content in (b"", unique(100_000)):
        session = await client.send(content, digest=digest_of(content), size=str(len(content)))
        assert (await repo.head(f"blobs/{digest_of(content)}")).status == 404
        assert (await repo.close(session, digest_of(content))).status == 201
        assert (await repo.get(f"blobs/{digest_of(content)}")).body == content
    data, session = unique(70_001), await repo.start()
    for yes in ("True", "1"):
        assert (await repo.get(f"{session}?presigned={yes}")).status == 200
    assert (await repo.get(f"{session}?presigned=false&list_parts=0")).status == 204
    for question in ("presigned", "list_parts"):
        unclear = await repo.get(f"{session}?{question}=yes")
        assert (unclear.status, unclear.code) == (400, "BLOB_UPLOAD_INVALID")
    (only,) = (await client.sign(session, parts="1", size=str(len(data))))["parts"]
    assert only["headers"] == {"Content-Length": str(len(data))}
    signed = (await client.sign(session, parts="3", size=str(len(data))))["parts"]
    sizes = [int(part["headers"]["Content-Length"]) for part in signed]
    for number in (2, 0, 1, 0):
        start = sum(sizes[:number])
        assert await client.put(signed[number], data[start : start + sizes[number]]) == 200
    listed = (await repo.get(f"{session}?list_parts=true")).json()["parts"]
    assert [part["size_bytes"] for part in listed] == sizes
    assert (await repo.close(session, digest_of(data))).status == 201
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data
    assert [await client.put(part, bytes(size)) for part, size in zip(signed, sizes, strict=True)] == [
        404
    ] * 3
    assert await left_in(on_files) == []


async def test_only_what_was_signed_is_taken(client: Uploader, repo: Repository, on_files: Registry) -> None:
    session = await repo.start()
    signed = await client.sign(session, size="4")
    for other in (
        changed(signed, size="5"),
        changed(signed, expires="9999999999"),
        changed(signed, signature="x"),
        {"presigned_url": signed["presigned_url"].replace("/1?", "/2?"), "headers": {}},
        {"presigned_url": signed["presigned_url"].partition("?")[0], "headers": {}},
    ):
        assert await client.put(other, b"four") == 403
    for content in (b"fives", b"two"):
        assert await client.put(signed | {"headers": {}}, content) == 400
    assert (await repo.close(session, digest_of(b"four"))).status == 400
    assert await client.put(signed, b"four") == 200
    assert (await repo.delete(session)).status == 204
    assert await client.put(signed, b"four") == 404
    assert await left_in(on_files) == []


@pytest.mark.slow
async def test_a_url_ends_when_it_says(database_url: str, tmp_path: Path) -> None:
    settings = settings_for(database_url, tmp_path, uploads_presigned_lifetime="1")
    async with running_registry(settings) as registry:
        client = Uploader(await open_repository(registry))
        signed = await client.sign(await client.repo.start())
        assert await client.put(signed, b"bytes") == 200
        await until(lambda: client.put(signed, b"bytes"), lambda status: status == 403)


async def test_a_part_that_breaks_off_has_not_come(
    client: Uploader, repo: Repository, on_files: Registry
) -> None:
    session = await repo.start()
    signed = await client.sign(session)

    async def broken() -> AsyncIterator[bytes]:
        yield unique(100_000)
        raise ConnectionResetError

    async with ClientSession() as storage:
        with pytest.raises(ClientError):
            await storage.put(signed["presigned_url"], data=broken())
    assert (await repo.get(f"{session}?list_parts=true")).json() == {"parts": []}
    assert await client.put(signed, b"whole") == 200
    assert (await repo.close(session, digest_of(b"whole"))).status == 201
    assert await left_in(on_files) == []


async def test_urls_that_race_with_the_close_do_not_get_other_bytes_in(
    client: Uploader, repo: Repository
) -> None:
    """Whatever wins: what is visible under a digest has it."""
    good, bad = unique(200_000), unique(200_000)
    for _ in range(5):
        session = await repo.start()
        signed = await client.sign(session)
        assert await client.put(signed, good) == 200
        putting = [asyncio.create_task(client.put(signed, bad)) for _ in range(3)]
        closed = await repo.close(session, digest_of(good))
        assert set(await asyncio.gather(*putting)) <= {200, 404}
        assert closed.status in {201, 400}
        if closed.status == 201:
            assert (await repo.get(f"blobs/{digest_of(good)}")).body == good
        assert (await repo.head(f"blobs/{digest_of(bad)}")).status == 404
