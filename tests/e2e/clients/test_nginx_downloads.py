"""nginx as docs/how-to/direct-downloads.md has it: a CDN that sends blobs to whom the registry says."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession
from yarl import URL

from app.oci.digest import Digest
from app.storage import Wanted
from tests.conformance.client import Repository, open_repository
from tests.conformance.content import unique
from tests.conformance.serving import settings_for
from tests.e2e.clients.nginx import free_address, running_nginx, shown_on
from tests.management.client import Caller
from tests.support.registry import Registry, running_registry

PAGE = "docs/how-to/direct-downloads.md"
SECRET = "a-long-random-word"
SIZE = 100_000


@dataclass(frozen=True)
class Cdn:
    """nginx in front of a storage directory, and what it wrote down of its requests."""

    url: str
    storage: Path
    access_log: Path


@pytest.fixture
def cdn(home: Path) -> Iterator[Cdn]:
    """Runs what the page shows, with our own addresses and files put into it, and without TLS."""
    address, tls = free_address(), "/etc/nginx/tls/blobs.example.org"
    ours = {
        "listen 443 ssl;": f"listen {address};",
        f"    ssl_certificate     {tls}.crt;\n": "",
        f"    ssl_certificate_key {tls}.key;\n": "",
        "/srv/roadstead/storage;": f"{home}/storage;",
        ' SECRET"': f' {SECRET}"',
    }
    with running_nginx(home, shown_on(PAGE, ours), address) as access_log:
        yield Cdn(f"http://{address}", home / "storage", access_log)


@pytest.fixture
async def behind(cdn: Cdn, database_url: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """A registry that sends clients to nginx, by the settings of the page."""
    settings = settings_for(
        database_url,
        tmp_path,
        storage_root=str(cdn.storage),
        downloads_redirect_bytes="1000",
        downloads_cdn_signing="secure_link",
        downloads_cdn_url=cdn.url,
        downloads_cdn_key=SECRET,
    )
    async with running_registry(settings) as registry:
        yield registry


@pytest.fixture
async def repo(behind: Registry) -> Repository:
    return await open_repository(behind)


async def follow(url: str, **headers: str) -> tuple[int, bytes]:
    """As a client without credentials would, exactly by this URL."""
    async with ClientSession() as session, session.get(URL(url, encoded=True), headers=headers) as answer:
        return answer.status, await answer.read()


async def location_of(repo: Repository, digest: str) -> str:
    asked = repo.registry.session.get(
        repo.url(f"blobs/{digest}"), headers=repo.authorization, allow_redirects=False
    )
    async with asked as answer:
        assert answer.status == 307
        return answer.headers["Location"]


async def test_a_client_that_follows_gets_the_blob_and_shows_no_credentials(
    repo: Repository, cdn: Cdn
) -> None:
    data = unique(SIZE)
    digest = await repo.push_blob(data)
    assert (await repo.get(f"blobs/{digest}")).body == data
    url = await location_of(repo, digest)
    assert url.startswith(f"{cdn.url}/blobs/sha256/")
    assert await follow(url, Range="bytes=10-19") == (206, data[10:20])
    assert sorted(set(cdn.access_log.read_text().split("\n"))) == ["", "200 [-]", "206 [-]"]


async def test_what_was_changed_or_is_over_opens_nothing(repo: Repository, behind: Registry) -> None:
    digest, other = await repo.push_blob(unique(SIZE)), await repo.push_blob(unique(SIZE))
    url = await location_of(repo, digest)
    query = url.partition("?")[2]
    end = re.findall(r"expires=(\d+)", url)[0]
    theirs = (await location_of(repo, other)).partition("?")[0]
    for wrong in (url.replace(end, str(int(end) + 1)), url.partition("?")[0], f"{theirs}?{query}"):
        assert (await follow(wrong))[0] == 403, wrong
    over = behind.resources.signed._sign_for_cdn(
        Wanted(Digest(digest), timedelta(0)), datetime.now(UTC) - timedelta(seconds=5)
    )
    assert over is not None
    assert (await follow(over))[0] == 410


async def test_links_lead_there_unless_they_choose_how_the_blob_is_presented(
    repo: Repository, behind: Registry, cdn: Cdn
) -> None:
    data = unique(SIZE)
    digest = await repo.push_blob(data)
    admin = Caller(behind, "admin", behind.resources.settings.admin_password)
    given = await admin.get(f"/blobs/{digest}/url", repository=repo.name)
    assert given.json["url"].startswith(cdn.url)
    assert await follow(given.json["url"]) == (200, data)
    chosen = await admin.get(f"/blobs/{digest}/url", repository=repo.name, content_type="text/plain")
    assert chosen.json["url"].startswith(behind.url)
    assert await follow(chosen.json["url"]) == (200, data)
