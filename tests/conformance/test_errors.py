"""Ping (end-1), and the shape of every answer that is an error (spec, "Error Codes")."""

import pytest

from tests.conformance.client import SPEC_CODES, Registry, Repository
from tests.conformance.content import MANIFEST, digest_of

MISSING = digest_of(b"nobody ever pushed this")
UUID = "00000000-0000-4000-8000-000000000000"


async def test_end_1_ping(repo: Repository) -> None:
    answer = await repo.get("/v2/")
    assert answer.status == 200
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


async def test_end_1_ping_by_head(repo: Repository) -> None:
    assert (await repo.head("/v2/")).status == 200


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"blobs/{MISSING}", "BLOB_UNKNOWN"),
        (f"blobs/{digest_of(b'missing', 'sha512')}", "BLOB_UNKNOWN"),
        (f"blobs/uploads/{UUID}", "BLOB_UPLOAD_UNKNOWN"),
        ("blobs/uploads/not-a-uuid", "BLOB_UPLOAD_UNKNOWN"),
        (f"manifests/{MISSING}", "MANIFEST_UNKNOWN"),
        ("manifests/no-such-tag", "MANIFEST_UNKNOWN"),
    ],
)
async def test_missing_content_is_404_with_its_own_code(repo: Repository, path: str, code: str) -> None:
    await repo.push_blob(b"the repository exists")
    answer = await repo.get(path)
    assert (answer.status, answer.code) == (404, code)


@pytest.mark.parametrize("path", [f"blobs/{MISSING}", f"manifests/{MISSING}", "manifests/latest"])
async def test_content_of_a_missing_repository_is_404(repo: Repository, path: str) -> None:
    answer = await repo.get(path)
    assert answer.status == 404
    assert answer.code in {"NAME_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"}


@pytest.mark.parametrize(
    "path",
    [
        "/v2/nothing",
        "/v2/_nothing",
        "/v2/_catalog/more",
        "/v2/a/b/c",
        "/v2/a/b/tags",
        "/v2/a/b/tags/list/more",
        "/v2/a/b/blobs/",
        "/v2/a/b/manifests/",
        "/v2/a/b/referrers/",
        "/v2/a/b/nothing/latest",
        "/v2//",
        "/v2/tags/list",
        "/v2/manifests/latest",
    ],
)
async def test_unknown_route_is_404_in_the_same_shape(repo: Repository, path: str) -> None:
    answer = await repo.get(path)
    assert answer.status == 404
    assert answer.code in SPEC_CODES


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/"),
        ("PUT", "/v2/_catalog"),
        ("POST", "tags/list"),
        ("DELETE", "tags/list"),
        ("PATCH", "manifests/latest"),
        ("POST", "manifests/latest"),
        ("PUT", f"blobs/{MISSING}"),
        ("POST", f"blobs/{MISSING}"),
        ("PATCH", f"blobs/{MISSING}"),
        ("PUT", "blobs/uploads/"),
        ("DELETE", "blobs/uploads/"),
        ("POST", f"blobs/uploads/{UUID}"),
        ("PUT", f"referrers/{MISSING}"),
        ("PROPFIND", "manifests/latest"),
    ],
)
async def test_wrong_method_is_405_and_says_what_is_allowed(repo: Repository, method: str, path: str) -> None:
    answer = await repo.send(method, path)
    assert (answer.status, answer.code) == (405, "UNSUPPORTED")
    allowed = {name.strip() for name in answer.headers["Allow"].split(",")}
    assert allowed
    assert method not in allowed


@pytest.mark.parametrize(
    "path",
    [
        f"blobs/{MISSING}",
        f"manifests/{MISSING}",
        "manifests/latest",
        "manifests/not*a*tag",
        "blobs/sha256:short",
        "nothing",
    ],
)
async def test_head_of_an_error_has_the_status_of_get_and_no_body(repo: Repository, path: str) -> None:
    get, head = await repo.get(path), await repo.head(path)
    assert head.status == get.status
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert head.headers.get("Content-Length", str(len(get.body))) == str(len(get.body))


BAD_DIGESTS = [
    "sha256:baddigeststring",
    "sha256:" + "a" * 63,
    "sha256:" + "a" * 65,
    "sha256:" + "A" * 64,
    "sha256:" + "g" * 64,
    "sha512:" + "a" * 64,
    "sha256:",
    "sha256",
    ":" + "a" * 64,
    "md5:" + "a" * 32,
    "unknown:" + "a" * 64,
    "sha256:" + "a" * 64 + "%20",
    "sha256:" + "a" * 64 + "%0A",
]


@pytest.mark.parametrize("digest", BAD_DIGESTS)
async def test_digest_that_cannot_be_is_400_wherever_it_is_given(repo: Repository, digest: str) -> None:
    session = await repo.start()
    answers = [
        await repo.get(f"blobs/{digest}"),
        await repo.delete(f"blobs/{digest}"),
        await repo.get(f"referrers/{digest}"),
        await repo.send("POST", f"blobs/uploads/?digest={digest}", b"data"),
        await repo.send("PUT", f"{session}?digest={digest}", b"data"),
    ]
    assert [(answer.status, answer.code) for answer in answers] == [(400, "DIGEST_INVALID")] * len(answers)


@pytest.mark.parametrize("digest", [digest for digest in BAD_DIGESTS if ":" in digest])
async def test_manifest_by_a_digest_that_cannot_be(repo: Repository, digest: str) -> None:
    put = await repo.send("PUT", f"manifests/{digest}", b"{}", headers={"Content-Type": MANIFEST})
    assert (put.status, put.code) == (400, "DIGEST_INVALID")
    assert (await repo.get(f"manifests/{digest}")).status in {400, 404}


@pytest.mark.parametrize(
    "tag", [".starts-with-dot", "-starts-with-dash", "a" * 129, "with%20space", "with*star", "%C3%BC"]
)
async def test_tag_that_cannot_be(repo: Repository, tag: str) -> None:
    put = await repo.send("PUT", f"manifests/{tag}", b"{}", headers={"Content-Type": MANIFEST})
    assert put.status == 400
    assert put.code in SPEC_CODES
    assert (await repo.get(f"manifests/{tag}")).status in {400, 404}


async def test_without_credentials_every_error_is_a_challenge(target: Registry) -> None:
    anonymous = Repository(target, "conformance/hidden")
    calls: list[tuple[str, str]] = [
        ("GET", "tags/list"),
        ("GET", f"blobs/{MISSING}"),
        ("GET", "manifests/latest"),
        ("PUT", "manifests/latest"),
        ("DELETE", "manifests/latest"),
        ("POST", "blobs/uploads/"),
        ("GET", f"referrers/{MISSING}"),
        ("GET", "/v2/"),
        ("GET", "/v2/_catalog"),
    ]
    for method, path in calls:
        answer = await anonymous.send(method, path)
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED"), answer
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="http')
