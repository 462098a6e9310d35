"""Links to blobs: who gets one, what it opens, for how long, and that nothing about it can be changed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from aiohttp import ClientResponse

from app.access import Role
from app.db import SQL
from app.downloads.model import Link, Presented
from app.downloads.signing import LinkSigner
from app.oci.digest import Digest
from app.settings import AuthSettings, Secret
from tests.conformance.client import Repository, bearer
from tests.conformance.content import digest_of, unique
from tests.management.client import Answer, Caller
from tests.management.conftest import MakeUser, Project
from tests.support.registry import Registry

WEEK = 7 * 24 * 3600
EVENTS = SQL("""
    SELECT concat_ws(' ', cause->>'username', payload->>'repository_name', payload->>'digest')
    FROM outbox WHERE type = 'blob.shared' AND payload->>'digest' = %(digest)s ORDER BY id
""")
OVER = datetime.now(UTC) - timedelta(seconds=1)


class Blob:
    """A blob of a repository in the project."""

    def __init__(self, repository: Repository, data: bytes) -> None:
        self.repository = repository
        self.data = data
        self.digest = digest_of(data)
        self.path = f"/blobs/{self.digest}/url"


@pytest.fixture(params=[300, 100_000], ids=["small", "large"])
def size(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
async def blob(project: Project, admin: Caller, shared: Registry, size: int) -> Blob:
    name = f"{project.name}/app"
    token = await shared.token(f"repository:{name}:pull,push,delete", auth=admin.auth)
    made = Blob(Repository(shared, name, bearer(token)), unique(size))
    await made.repository.push_blob(made.data)
    return made


@pytest.fixture
async def guest(make_user: MakeUser) -> Caller:
    return await make_user(Role.GUEST)


async def follow(
    registry: Registry, url: str, method: str = "GET", **headers: str
) -> tuple[ClientResponse, bytes]:
    """As curl would: no credentials."""
    async with registry.session.request(method, url, headers=headers) as answer:
        return answer, await answer.read()


async def test_link_opens_the_blob_without_credentials(blob: Blob, guest: Caller, shared: Registry) -> None:
    before = datetime.now(UTC)
    given = await guest.get(blob.path, repository=blob.repository.name)
    assert given.status == 200, given.json
    assert set(given.json) == {"url", "expires_at"}
    assert given.headers["Cache-Control"] == "no-store"
    expires = datetime.fromisoformat(given.json["expires_at"])
    assert timedelta(seconds=3598) < expires - before < timedelta(seconds=3602)
    answer, content = await follow(shared, given.json["url"])
    assert (answer.status, content) == (200, blob.data)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    head, _ = await follow(shared, given.json["url"], "HEAD")
    assert head.headers["Content-Length"] == str(len(blob.data))
    part, content = await follow(shared, given.json["url"], Range="bytes=10-19")
    assert (part.status, content) == (206, blob.data[10:20])
    beyond, refusal = await follow(shared, given.json["url"], Range=f"bytes={len(blob.data)}-")
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{len(blob.data)}")
    assert b"{'" not in refusal


async def test_headers_of_the_answer_can_be_chosen(blob: Blob, guest: Caller, shared: Registry) -> None:
    chosen = {"content_type": "application/gzip", "content_disposition": 'attachment; filename="a b.tgz"'}
    given = await guest.get(blob.path, repository=blob.repository.name, **chosen)
    answer, _ = await follow(shared, given.json["url"])
    assert answer.headers["Content-Type"] == "application/gzip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a b.tgz"'


async def test_token_to_pull_is_enough_and_another_is_not(
    blob: Blob, guest: Caller, shared: Registry
) -> None:
    url = f"{shared.url}/api/v2.0{blob.path}?repository={blob.repository.name}"
    statuses = []
    for scope in ("app:pull", "other:pull", "app:push"):
        token = await shared.token(f"repository:{blob.repository.name[:-3]}{scope}", auth=guest.auth)
        answer, _ = await follow(shared, url, **bearer(token))
        statuses.append(answer.status)
    assert statuses == [200, 403, 403]


@pytest.mark.parametrize("caller", ["stranger", "anonymous", "limited"])
async def test_who_may_not_pull_learns_nothing(
    blob: Blob, make_user: MakeUser, shared: Registry, project: Project, caller: str
) -> None:
    asking = Caller(shared) if caller == "anonymous" else await make_user()
    there = await asking.get(blob.path, repository=blob.repository.name)
    absent = [
        await asking.get(f"/blobs/sha256:{'0' * 64}/url", repository=blob.repository.name),
        await asking.get(blob.path, repository=f"{project.name}/missing"),
        await asking.get(blob.path, repository="no-such-project/app"),
    ]
    assert there.status == (401 if caller == "anonymous" else 403)
    assert [(one.status, one.json) for one in absent] == [(there.status, there.json)] * 3


async def test_anybody_gets_links_to_public_blobs(
    public_project: Project, admin: Caller, shared: Registry
) -> None:
    name = f"{public_project.name}/app"
    token = await shared.token(f"repository:{name}:pull,push", auth=admin.auth)
    digest = await Repository(shared, name, bearer(token)).push_blob(b"everybody's")
    given = await Caller(shared).get(f"/blobs/{digest}/url", repository=name)
    assert (await follow(shared, given.json["url"]))[1] == b"everybody's"


async def test_only_administrators_need_no_repository(blob: Blob, guest: Caller, admin: Caller) -> None:
    refused = await guest.get(blob.path)
    assert (refused.status, refused.message.partition(":")[0]) == (403, "repository")
    assert (await admin.get(blob.path)).status == 200
    assert (await admin.get("/blobs/url", digest=blob.digest)).status == 200
    assert (await admin.get(f"/blobs/sha256:{'0' * 64}/url")).status == 404


@pytest.mark.parametrize("scopes", [[], ["repository:library/other:pull"]])
async def test_token_of_an_administrator_opens_no_more_than_it_names(
    blob: Blob, shared: Registry, scopes: list[str]
) -> None:
    token = await shared.token(*scopes)
    answer, content = await follow(shared, f"{shared.url}/api/v2.0{blob.path}", **bearer(token))
    assert (answer.status, blob.digest.encode() in content) == (403, False)


async def test_blob_has_to_be_in_the_repository(blob: Blob, admin: Caller, project: Project) -> None:
    assert (await admin.get(blob.path, repository=f"{project.name}/other")).status == 404


@pytest.mark.parametrize(("seconds", "status"), [(1, 200), (WEEK, 200), (0, 400), (-5, 400), (WEEK + 1, 400)])
async def test_link_lives_from_a_second_to_a_week(
    blob: Blob, guest: Caller, seconds: int, status: int
) -> None:
    given = await guest.get(blob.path, repository=blob.repository.name, expires_in=seconds)
    assert given.status == status
    assert status == 200 or "7 days" in given.message


@pytest.mark.parametrize(
    "wrong",
    [
        {"repository": "UPPER/case"},
        {"expires_in": "soon"},
        {"expires_in": "1.5"},
        {"content_type": "text/html\r\nX-Evil: 1"},
        {"content_type": "text/html\n"},
        {"content_type": "nonsense"},
        {"content_disposition": "attachment\n"},
        {"content_disposition": "attachment; filename=\u2028"},
        {"content_disposition": "script"},
        {"repository": "a" * 300},
    ],
)
async def test_bad_wishes_are_refused(blob: Blob, admin: Caller, wrong: dict[str, str]) -> None:
    given = await admin.get(blob.path, **({"repository": blob.repository.name} | wrong))
    assert given.status == 400


async def test_a_digest_is_needed(admin: Caller) -> None:
    assert (await admin.get("/blobs/url")).status == 400


async def test_content_of_a_chosen_type_is_no_page(blob: Blob, admin: Caller, shared: Registry) -> None:
    given = await admin.get(blob.path, content_type="text/html")
    answer, _ = await follow(shared, given.json["url"])
    assert dict(parse_qsl(urlsplit(given.json["url"]).query))["content_disposition"] == "attachment"
    assert (answer.content_type, answer.headers["Content-Disposition"]) == ("text/html", "attachment")


@pytest.mark.parametrize("digest", ["sha256:abc", "md5:" + "0" * 32, "latest", "sha256:" + "A" * 64])
async def test_what_is_no_digest_is_refused(admin: Caller, digest: str) -> None:
    assert (await admin.get(f"/blobs/{quote(digest)}/url")).status == 400


async def test_link_ends_with_the_blob(blob: Blob, guest: Caller, shared: Registry) -> None:
    given = await guest.get(blob.path, repository=blob.repository.name)
    assert (await blob.repository.delete(f"blobs/{blob.digest}")).status == 202
    answer, _ = await follow(shared, given.json["url"])
    assert answer.status == 404


def opened(registry: Registry, link: Link, *, settings: AuthSettings | None = None) -> str:
    query = LinkSigner(settings or registry.resources.settings.auth).query(link)
    return f"{registry.url}/api/v2.0/blobs/{link.digest}/content?{query}"


async def test_link_that_is_over_opens_nothing(blob: Blob, shared: Registry) -> None:
    link = Link(Digest(blob.digest), blob.repository.name, OVER, Presented())
    answer, _ = await follow(shared, opened(shared, link))
    assert answer.status == 404


async def test_nothing_about_a_link_can_be_changed(blob: Blob, guest: Caller, shared: Registry) -> None:
    given = await guest.get(blob.path, repository=blob.repository.name)
    parts = urlsplit(given.json["url"])
    said = dict(parse_qsl(parts.query))
    for change in (
        {"expires": str(int(said["expires"]) + 1)},
        {"repository": ""},
        {"repository": blob.repository.name + "2"},
        {"content_type": "text/html"},
        {"content_disposition": "inline"},
        {"signature": said["signature"][:-1]},
        {"signature": "ünïcode"},
    ):
        changed = parts._replace(query=urlencode(said | change)).geturl()
        assert (await follow(shared, changed))[0].status == 403, change
    for missing in ("expires", "signature"):
        less = urlencode({name: value for name, value in said.items() if name != missing})
        assert (await follow(shared, parts._replace(query=less).geturl()))[0].status == 403, missing
    other = parts._replace(path=parts.path.replace(blob.digest, f"sha256:{'0' * 64}")).geturl()
    assert (await follow(shared, other))[0].status == 403


@pytest.mark.parametrize("second", [2**37, 2**37 + 1, 253_402_300_800, 2**70])
async def test_a_link_to_the_end_of_time_is_refused(shared: Registry, second: int) -> None:
    url = f"{shared.url}/api/v2.0/blobs/sha256:{'0' * 64}/content?expires={second}&signature=forged"
    assert (await follow(shared, url))[0].status in {403, 422}


async def test_only_our_key_signs(blob: Blob, shared: Registry) -> None:
    link = Link(
        Digest(blob.digest), blob.repository.name, datetime.now(UTC) + timedelta(minutes=1), Presented()
    )
    assert (await follow(shared, opened(shared, link)))[0].status == 200
    forged = AuthSettings(secret_key=Secret("another-key-" * 4))
    assert (await follow(shared, opened(shared, link, settings=forged)))[0].status == 403


def test_previous_key_is_good_while_it_is_set() -> None:
    link = Link(Digest("sha256:" + "0" * 64), "", datetime.now(UTC), Presented())
    old, new = Secret("old-key-" * 4), Secret("new-key-" * 4)
    signature = dict(parse_qsl(LinkSigner(AuthSettings(secret_key=old)).query(link)))["signature"]
    assert LinkSigner(AuthSettings(secret_key=new, previous_secret_keys=old)).is_signed(link, signature)
    assert not LinkSigner(AuthSettings(secret_key=new)).is_signed(link, signature)


async def test_many_links_come_at_once_with_a_result_for_each(
    blob: Blob, guest: Caller, shared: Registry
) -> None:
    other = await blob.repository.push_blob(unique())
    missing = f"sha256:{'0' * 64}"
    given = await guest.post(
        "/blobs/urls",
        {
            "repository": blob.repository.name,
            "digests": [blob.digest, missing, "nonsense", other, missing, other],
        },
    )
    assert given.status == 200, given.json
    results: list[dict[str, Any]] = given.json
    assert [one["digest"] for one in results] == [*(blob.digest, missing, "nonsense", other, missing, other)]
    codes = [one.get("error", {}).get("code") for one in results]
    assert codes == [None, "NOT_FOUND", "BAD_REQUEST", None, "NOT_FOUND", None]
    assert (await follow(shared, results[0]["url"]))[1] == blob.data


@pytest.mark.parametrize("digests", [[], ["sha256:" + "0" * 64] * 257, "sha256:", [1]])
async def test_bad_batches_are_refused(admin: Caller, digests: object) -> None:
    assert (await admin.post("/blobs/urls", {"digests": digests})).status == 422


async def test_each_link_is_recorded(blob: Blob, guest: Caller, shared: Registry) -> None:
    given: Answer = await guest.get(blob.path, repository=blob.repository.name)
    assert given.status == 200
    async with shared.resources.database.autocommit() as statements:
        recorded = await statements.values(EVENTS, digest=blob.digest)
    assert recorded == [f"{guest.username} {blob.repository.name} {blob.digest}"]
