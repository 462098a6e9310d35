"""Downloads from the storage itself: links and redirects that an S3 server honours."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import ClientSession

from tests.conformance.client import Repository, bearer, open_repository
from tests.conformance.content import unique
from tests.conformance.serving import settings_for
from tests.management.client import Caller
from tests.support.registry import Registry, running_registry
from tests.support.s3 import Bucket

REDIRECTED = 1000
LARGE, SMALL = 100_000, 500
AGENT = "crawler"


@pytest.fixture
async def on_s3(database_url: str, tmp_path: Path, bucket: Bucket) -> AsyncIterator[Registry]:
    """A registry on a bucket, which sends clients there."""
    settings = settings_for(
        database_url,
        tmp_path,
        downloads_redirect_bytes=str(REDIRECTED),
        downloads_proxied_agents=f"other, {AGENT}",
        **bucket.below(uuid4().hex).settings,
    )
    async with running_registry(settings) as registry:
        yield registry


@pytest.fixture
async def repo(on_s3: Registry) -> Repository:
    return await open_repository(on_s3)


async def follow(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """As a client without credentials would, which knows nothing of the registry."""
    async with ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, dict(answer.headers), await answer.read()


async def pull(repo: Repository, digest: str, **headers: str) -> tuple[int, str]:
    url = repo.url(f"blobs/{digest}")
    token = await repo.registry.token(f"repository:{repo.name}:pull")
    async with repo.registry.session.get(
        url, headers=bearer(token) | headers, allow_redirects=False
    ) as answer:
        assert answer.headers.get("Docker-Content-Digest") == digest
        return answer.status, answer.headers.get("Location", "")


async def test_large_blob_comes_from_the_storage(repo: Repository, bucket: Bucket) -> None:
    data = unique(LARGE)
    digest = await repo.push_blob(data)
    status, url = await pull(repo, digest)
    assert (status, url.startswith(bucket.endpoint)) == (307, True)
    assert (await follow(url))[::2] == (200, data)
    assert (await follow(url, Range="bytes=10-19"))[::2] == (206, data[10:20])
    assert (await follow(url.replace("X-Amz-Expires=1200", "X-Amz-Expires=1201")))[0] == 403
    assert (await repo.get(f"blobs/{digest}")).body == data  # a client that follows gets it, too


async def test_url_is_given_again_and_to_nobody_once_the_blob_is_deleted(
    repo: Repository, on_s3: Registry
) -> None:
    digest = await repo.push_blob(unique(LARGE))
    first, again = await pull(repo, digest), await pull(repo, digest)
    assert first == again
    assert (await repo.delete(f"blobs/{digest}")).status == 202
    assert (await repo.get(f"blobs/{digest}")).status == 404
    admin = Caller(on_s3, "admin", on_s3.resources.settings.admin_password)
    assert (await admin.get(f"/blobs/{digest}/url", repository=repo.name)).status == 404


async def test_small_blobs_and_some_clients_are_served_by_us(repo: Repository) -> None:
    small, large = await repo.push_blob(unique(SMALL)), await repo.push_blob(unique(LARGE))
    assert (await pull(repo, small))[0] == 200
    assert (await pull(repo, large, **{"User-Agent": f"a {AGENT}/1.0"}))[0] == 200
    assert (await pull(repo, large, **{"If-None-Match": f'"{large}"'}))[0] == 304
    assert (await repo.head(f"blobs/{large}")).headers["Content-Length"] == str(LARGE)


async def test_clients_of_some_networks_are_served_by_us(
    database_url: str, tmp_path: Path, bucket: Bucket
) -> None:
    settings = settings_for(
        database_url,
        tmp_path,
        downloads_redirect_bytes="1",
        downloads_proxied_networks="10.0.0.0/8, 127.0.0.0/8",
        **bucket.below(uuid4().hex).settings,
    )
    async with running_registry(settings) as registry:
        repo = await open_repository(registry)
        assert (await pull(repo, await repo.push_blob(unique(LARGE))))[0] == 200


async def test_link_is_one_of_the_storage(repo: Repository, on_s3: Registry, bucket: Bucket) -> None:
    data = unique(LARGE)
    digest = await repo.push_blob(data)
    admin = Caller(on_s3, "admin", on_s3.resources.settings.admin_password)
    chosen = {"content_type": "application/gzip", "content_disposition": 'attachment; filename="a.tgz"'}
    given = await admin.get(f"/blobs/{digest}/url", repository=repo.name, **chosen)
    assert given.json["url"].startswith(bucket.endpoint)
    status, headers, content = await follow(given.json["url"])
    assert (status, content) == (200, data)
    assert headers["Content-Type"] == "application/gzip"
    assert headers["Content-Disposition"] == 'attachment; filename="a.tgz"'


async def test_clients_are_sent_where_they_reach_the_storage(
    database_url: str, tmp_path: Path, bucket: Bucket
) -> None:
    public = "https://blobs.example.org"
    settings = settings_for(
        database_url,
        tmp_path,
        downloads_redirect_bytes="1",
        **bucket.below(uuid4().hex).settings,
        storage_public_endpoint=public,
    )
    async with running_registry(settings) as registry:
        repo = await open_repository(registry)
        _, url = await pull(repo, await repo.push_blob(unique(LARGE)))
    assert url.startswith(f"{public}/")
