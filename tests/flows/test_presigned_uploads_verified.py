"""Uploads by signed URLs: nobody is believed, and nothing that is not verified is visible."""

import asyncio

import pytest

from tests.conformance.client import Repository, open_repository
from tests.conformance.content import damaged, digest_of, unique
from tests.flows.presigned import Uploader, left_in
from tests.support.registry import Registry

pytestmark = pytest.mark.slow

PART = 5 << 20


async def blobs_in(registry: Registry) -> list[str]:
    return [digest async for digest in registry.resources.storage.list_digests()]


@pytest.mark.parametrize("place", ["s3"], indirect=True)
async def test_the_storage_itself_refuses_other_bytes_than_were_named(
    client: Uploader, repo: Repository, on_storage: Registry
) -> None:
    data, session = unique(100_000), await repo.start()
    signed = await client.sign(session, digest=digest_of(data))
    assert await client.put(signed, damaged(data)) == 400
    assert await client.put(signed | {"headers": {}}, damaged(data)) in {400, 403}
    assert (await repo.close(session, digest_of(data))).status == 400
    assert await client.put(signed, data) == 200
    assert (await repo.close(session, digest_of(data))).status == 201
    assert await blobs_in(on_storage) == [digest_of(data)]


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
async def test_a_wrong_digest_is_refused_and_its_bytes_are_removed(
    client: Uploader, repo: Repository, on_storage: Registry, algorithm: str
) -> None:
    """Whether the storage or we have found out what the bytes are, and whatever else is in the storage."""
    there = await repo.push_blob(unique(1000))
    for query in ({}, {"digest": digest_of(b"sent")}):
        session = await client.send(b"sent", **query)
        for wrong in (digest_of(b"other", algorithm), digest_of(b"sent")):
            answer = await repo.close(session, wrong)
            expected = (
                (400, "DIGEST_INVALID") if wrong != digest_of(b"sent") else (404, "BLOB_UPLOAD_UNKNOWN")
            )
            assert (answer.status, answer.code) == expected
    assert await left_in(on_storage) == []
    assert await blobs_in(on_storage) == [there]


async def test_sha512_is_read_where_the_storage_knows_sha256_only(client: Uploader, repo: Repository) -> None:
    data = unique(100_000)
    session = await client.send(data, digest=digest_of(data))
    assert (await repo.close(session, digest_of(data, "sha512"))).status == 201
    assert (await repo.get(f"blobs/{digest_of(data, 'sha512')}")).body == data


async def test_a_digest_of_what_others_have_opens_nothing(client: Uploader, repo: Repository) -> None:
    """Who names the digest of a blob that he has not gets no link to it, by no state of an upload."""
    secret = await (await another_of(repo)).push_blob(unique(1000))
    empty = await repo.start()
    await client.sign(empty, digest=secret)
    assert (await repo.close(empty, secret)).status == 400
    lost = await client.send(b"x")
    storage = registry_of(repo).resources.storage
    for state in await left_in(registry_of(repo)):
        await storage.discard(state)  # as a rule of the bucket would that removes unfinished uploads
    answer = await repo.close(lost, secret)
    assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert (await repo.head(f"blobs/{secret}")).status == 404


def registry_of(repo: Repository) -> Registry:
    assert isinstance(repo.registry, Registry)
    return repo.registry


async def another_of(repo: Repository) -> Repository:
    return await open_repository(registry_of(repo))


@pytest.mark.parametrize("is_known", [False, True])
async def test_a_url_changes_nothing_once_the_upload_is_closed(
    client: Uploader, repo: Repository, on_storage: Registry, *, is_known: bool
) -> None:
    data, session = unique(100_000), await repo.start()
    query = {"digest": digest_of(data)} if is_known else {}
    signed = [await client.sign(session, **query) for _ in range(2)]
    assert await client.put(signed[0], data) < 300
    assert (await repo.close(session, digest_of(data))).status == 201
    for one in signed:
        await client.send_late(on_storage, one, damaged(data))
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data


async def test_urls_that_race_with_the_close_do_not_get_other_bytes_in(
    client: Uploader, repo: Repository
) -> None:
    """Whatever wins: what is visible under a digest has it."""
    good, bad = unique(200_000), unique(200_000)
    outcomes = set()
    for _ in range(10):
        session = await repo.start()
        signed = await client.sign(session)
        assert await client.put(signed, good) < 300
        putting = [asyncio.create_task(client.put(signed, bad)) for _ in range(3)]
        closed = await repo.close(session, digest_of(good))
        await asyncio.gather(*putting)
        outcomes.add(closed.status)
        if closed.status == 201:
            assert (await repo.get(f"blobs/{digest_of(good)}")).body == good
        assert (await repo.head(f"blobs/{digest_of(bad)}")).status == 404
    assert outcomes <= {201, 400, 503}


async def test_of_two_closing_requests_one_makes_the_blob(client: Uploader, repo: Repository) -> None:
    data = unique(PART)
    session = await client.send(data)
    answers = await asyncio.gather(*(repo.close(session, digest_of(data)) for _ in range(4)))
    statuses = sorted(answer.status for answer in answers)
    assert statuses[0] == 201
    assert set(statuses[1:]) <= {404, 409}
    assert (await repo.get(f"blobs/{digest_of(data)}")).body == data
