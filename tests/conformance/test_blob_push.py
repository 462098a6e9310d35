"""Pushing blobs in one go (end-4a, 4b, 4c, 6), whole or streamed, for each digest algorithm."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import pytest

from tests.conformance.client import Answer, Repository, with_query
from tests.conformance.content import OCTETS, digest_of, unique

Push = Callable[[Repository, bytes, str], Awaitable[Answer]]

OCTET_STREAM = {"Content-Type": OCTETS}


async def pieces(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    """A body of unknown length: goes out with Transfer-Encoding: chunked."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def post(repo: Repository, data: bytes, digest: str) -> Answer:
    return await repo.send("POST", f"blobs/uploads/?digest={digest}", data, headers=OCTET_STREAM)


async def post_streamed(repo: Repository, data: bytes, digest: str) -> Answer:
    return await repo.send("POST", f"blobs/uploads/?digest={digest}", pieces(data), headers=OCTET_STREAM)


async def post_put(repo: Repository, data: bytes, digest: str) -> Answer:
    return await repo.close(await repo.start(), digest, data)


async def post_put_streamed(repo: Repository, data: bytes, digest: str) -> Answer:
    return await repo.close(await repo.start(), digest, pieces(data))


async def post_put_announced(repo: Repository, data: bytes, digest: str) -> Answer:
    algorithm = digest.partition(":")[0]
    return await repo.close(await repo.start(f"?digest-algorithm={algorithm}"), digest, data)


async def post_put_announced_otherwise(repo: Repository, data: bytes, digest: str) -> Answer:
    """The closing digest decides, whatever was announced."""
    announced = "sha256" if digest.startswith("sha512") else "sha512"
    return await repo.close(await repo.start(f"?digest-algorithm={announced}"), digest, data)


async def patch_whole(repo: Repository, data: bytes, digest: str) -> Answer:
    patched = await repo.patch(await repo.start(), data)
    assert patched.status == 202, patched
    return await repo.close(patched.location, digest)


async def patch_streamed(repo: Repository, data: bytes, digest: str) -> Answer:
    patched = await repo.patch(await repo.start(), pieces(data))
    assert patched.status == 202, patched
    return await repo.close(patched.location, digest)


async def patch_then_streamed_put(repo: Repository, data: bytes, digest: str) -> Answer:
    half = len(data) // 2
    patched = await repo.patch(await repo.start(), pieces(data[:half]))
    assert patched.status == 202, patched
    return await repo.close(patched.location, digest, pieces(data[half:]))


FORMS: list[Push] = [
    post,
    post_streamed,
    post_put,
    post_put_streamed,
    post_put_announced,
    post_put_announced_otherwise,
    patch_whole,
    patch_streamed,
    patch_then_streamed_put,
]
every_form = pytest.mark.parametrize("push", FORMS, ids=[form.__name__ for form in FORMS])
every_algorithm = pytest.mark.parametrize("algorithm", ["sha256", "sha512"])


@every_form
@every_algorithm
@pytest.mark.parametrize("size", [0, 1, 3067, 1_048_577])
async def test_pushed_blob_can_be_pulled(repo: Repository, push: Push, algorithm: str, size: int) -> None:
    data = unique(size)
    digest = digest_of(data, algorithm)
    answer = await push(repo, data, digest)
    assert answer.status == 201, answer
    assert answer.headers["Docker-Content-Digest"] == digest
    assert answer.body == b""
    pulled = await repo.get(answer.location)
    assert (pulled.status, pulled.body) == (200, data)
    head = await repo.head(f"blobs/{digest}")
    assert (head.status, head.headers["Content-Length"]) == (200, str(size))


@every_form
@every_algorithm
async def test_wrong_digest_is_refused_and_nothing_appears(
    repo: Repository, push: Push, algorithm: str
) -> None:
    data, digest = unique(2048), digest_of(b"something else", algorithm)
    answer = await push(repo, data, digest)
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
    assert (await repo.head(f"blobs/{digest}")).status == 404
    assert (await repo.head(f"blobs/{digest_of(data, algorithm)}")).status == 404


@every_form
async def test_the_same_blob_may_be_pushed_again(repo: Repository, push: Push) -> None:
    data = unique(500)
    digest = digest_of(data)
    assert [(await push(repo, data, digest)).status for _ in range(2)] == [201, 201]
    assert (await repo.get(f"blobs/{digest}")).body == data


async def test_one_blob_under_two_algorithms(repo: Repository) -> None:
    data = unique()
    for algorithm in ("sha512", "sha256"):
        digest = await repo.push_blob(data, algorithm)
        assert (await repo.get(f"blobs/{digest}")).body == data


async def test_end_4a_session_names_a_uuid_and_where_it_stands(repo: Repository) -> None:
    answer = await repo.send("POST", "blobs/uploads/")
    assert (answer.status, answer.body) == (202, b"")
    session = answer.headers["Docker-Upload-UUID"]
    assert session == answer.headers["Upload-UUID"]
    assert session in answer.location
    UUID(session)
    assert answer.upload_end == 0


async def test_sessions_are_apart(repo: Repository) -> None:
    assert await repo.start() != await repo.start()


async def test_upload_path_works_without_its_trailing_slash(repo: Repository) -> None:
    """Old clients post to `blobs/uploads`."""
    answer = await repo.send("POST", "blobs/uploads")
    assert answer.status in {202, 404}
    if answer.status == 202:
        assert (await repo.close(answer.location, digest_of(b"data"), b"data")).status == 201


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "SHA256", "nonsense", "", "sha256,sha512"])
async def test_end_4c_unsupported_algorithm_is_400(repo: Repository, algorithm: str) -> None:
    answer = await repo.send("POST", with_query("blobs/uploads/", digest_algorithm=algorithm))
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")


async def test_end_6_put_needs_a_digest(repo: Repository) -> None:
    session = await repo.start()
    answer = await repo.send("PUT", session, b"data", headers=OCTET_STREAM)
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
    assert (await repo.close(session, digest_of(b"data"), b"data")).status == 201


async def test_closed_session_is_gone(repo: Repository) -> None:
    session = await repo.start()
    assert (await repo.close(session, digest_of(b"data"), b"data")).status == 201
    again = await repo.close(session, digest_of(b"data"), b"data")
    assert (again.status, again.code) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert (await repo.get(session)).status == 404


async def test_session_belongs_to_its_repository(repo: Repository, other: Repository) -> None:
    session = await repo.start()
    elsewhere = session.replace(repo.name, other.name)
    for answer in (
        await other.get(elsewhere),
        await other.patch(elsewhere, b"data"),
        await other.close(elsewhere, digest_of(b"data"), b"data"),
        await other.delete(elsewhere),
    ):
        assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert (await repo.close(session, digest_of(b"data"), b"data")).status == 201


async def test_any_content_type_will_do(repo: Repository) -> None:
    digest = digest_of(b"data")
    url = with_query(await repo.start(), digest=digest)
    answer = await repo.send("PUT", url, b"data", headers={"Content-Type": "text/plain; charset=utf-8"})
    assert answer.status == 201
    assert (await repo.get(f"blobs/{digest}")).headers["Content-Type"] == OCTETS
