"""`n` and `last` of a list, and the link to the next page, followed as a client does."""

import re
from bisect import bisect_right
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from app.http.pagination import MAX_PAGE, next_link, page_of
from app.oci.errors import PaginationNumberInvalid

NAMES = sorted([f"tag-{i}" for i in range(8)] + ["a&b=c", "a b", "ü", "z%2F"])


async def list_names(request: web.Request) -> web.Response:
    try:
        page = page_of(request, default=5)
    except PaginationNumberInvalid as refused:
        return web.json_response(refused.body(), status=refused.status)
    rest = NAMES[bisect_right(NAMES, page.last) :]
    shown = rest[: page.limit]
    headers = next_link(request, page, shown[-1], keep={"k": "v"}) if shown and rest != shown else {}
    body = {"names": shown, "limit": page.limit, "last": page.last}
    return web.json_response(body, headers={**headers, "K": request.query.get("k", "")})


@pytest.fixture
async def client() -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application()
    app.router.add_get("/v2/{name:.+}/tags/list", list_names)
    async with TestClient(TestServer(app)) as running:
        yield running


def link_of(answer: ClientResponse) -> URL | None:
    match = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
    return URL(match[1], encoded=True) if match else None


@pytest.mark.parametrize("n", ["", "n=1", "n=3", "n=11", "n=12", "n=100000000000"])
async def test_the_links_lead_through_every_name_once(
    client: TestClient[web.Request, web.Application], n: str
) -> None:
    seen: list[str] = []
    url: URL | None = URL(f"/v2/a%2Bb/c/tags/list?{n}")
    pages = 0
    while url is not None:
        answer = await client.get(url)
        seen += (await answer.json())["names"]
        assert (answer.headers["K"] == "v") is (pages > 0)
        url = link_of(answer)
        assert url is None or url.raw_path == "/v2/a%2Bb/c/tags/list"
        pages += 1
        assert pages <= len(NAMES)
    assert seen == NAMES


@pytest.mark.parametrize(
    ("query", "limit", "last"),
    [
        ("", 5, ""),
        ("n=0", 0, ""),
        ("n=7&last=x", 7, "x"),
        (f"n={MAX_PAGE + 1}", MAX_PAGE, ""),
        ("n=" + "9" * 5_000, MAX_PAGE, ""),
        ("last=a%00b", 5, "ab"),
    ],
)
async def test_what_is_asked_for_is_read(
    client: TestClient[web.Request, web.Application], query: str, limit: int, last: str
) -> None:
    body = await (await client.get(f"/v2/a/tags/list?{query}")).json()
    assert (body["limit"], body["last"]) == (limit, last)


@pytest.mark.parametrize("n", ["", "-1", "+1", "1.0", "1e3", "x", "0x1", "%20", "1%20", "%D9%A1", "%C2%B2"])
async def test_what_is_no_number_of_entries_is_refused(
    client: TestClient[web.Request, web.Application], n: str
) -> None:
    answer = await client.get(URL(f"/v2/a/tags/list?n={n}", encoded=True))
    assert answer.status == 400
    assert (await answer.json())["errors"][0]["code"] == "PAGINATION_NUMBER_INVALID"
