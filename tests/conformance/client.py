"""A small client of /v2/ that hides nothing: every call gives the whole answer back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import quote, urljoin, urlsplit
from uuid import uuid4

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from tests.conformance.content import OCTETS, Content, digest_of

NOTHING: Mapping[str, str] = {}
SPEC_CODES = frozenset(
    {
        "BLOB_UNKNOWN",
        "BLOB_UPLOAD_INVALID",
        "BLOB_UPLOAD_UNKNOWN",
        "DIGEST_INVALID",
        "MANIFEST_BLOB_UNKNOWN",
        "MANIFEST_INVALID",
        "MANIFEST_UNKNOWN",
        "NAME_INVALID",
        "NAME_UNKNOWN",
        "SIZE_INVALID",
        "UNAUTHORIZED",
        "DENIED",
        "UNSUPPORTED",
        "TOOMANYREQUESTS",
    }
)


class Registry(Protocol):
    """What the tests need to know of a running registry."""

    @property
    def url(self) -> str: ...

    @property
    def session(self) -> aiohttp.ClientSession: ...

    async def token(self, *scopes: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, its body read to the end."""

    method: str
    url: str
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def location(self) -> str:
        """The Location header as an absolute URL."""
        assert "Location" in self.headers, self
        return urljoin(self.url, self.headers["Location"])

    @property
    def code(self) -> str:
        """The first error code, after checking that the body is the specification's error document."""
        assert self.headers["Content-Type"].partition(";")[0] == "application/json", self
        document = self.json()
        assert list(document) == ["errors"]
        assert document["errors"], self
        for error in document["errors"]:
            assert set(error) <= {"code", "message", "detail"}
            assert isinstance(error["code"], str)
            assert isinstance(error.get("message", ""), str)
        return str(document["errors"][0]["code"])

    @property
    def upload_end(self) -> int:
        """Position of the last byte that an upload session has, by its Range header."""
        first, _, last = self.headers["Range"].partition("-")
        assert first == "0"
        assert last.isdecimal()
        return int(last)


class Repository:
    """Calls below /v2/<name>/, with the credentials given once."""

    def __init__(self, registry: Registry, name: str, authorization: Mapping[str, str] = NOTHING) -> None:
        self.registry = registry
        self.name = name
        self.authorization = authorization

    @property
    def path(self) -> str:
        return f"/v2/{self.name}"

    def url(self, path: str) -> str:
        """Absolute URL of a path in the repository; paths with a leading slash and URLs stay as they are."""
        return urljoin(
            self.registry.url, path if urlsplit(path).scheme or path[:1] == "/" else f"{self.path}/{path}"
        )

    async def send(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] = NOTHING
    ) -> Answer:
        """One request, redirects followed; the path goes out byte for byte as it is written."""
        url = self.url(path)
        if isinstance(body, bytes):
            body = BytesIO(body)  # aiohttp warns about large plain bytes
        async with self.registry.session.request(
            method, URL(url, encoded=True), data=body, headers={**self.authorization, **headers}
        ) as response:
            return Answer(method, url, response.status, response.headers, await response.read())

    async def get(self, path: str, **headers: str) -> Answer:
        """GET; `Accept="x"` and `If_None_Match="x"` become headers."""
        return await self.send("GET", path, headers=_named(headers))

    async def head(self, path: str, **headers: str) -> Answer:
        answer = await self.send("HEAD", path, headers=_named(headers))
        assert answer.body == b""
        return answer

    async def delete(self, path: str) -> Answer:
        return await self.send("DELETE", path)

    async def start(self, query: str = "") -> str:
        """Open an upload session and return its URL (end-4a)."""
        answer = await self.send("POST", f"blobs/uploads/{query}")
        assert answer.status == 202, answer
        return answer.location

    async def patch(self, location: str, chunk: Any, span: str = "") -> Answer:
        """Send one chunk, with a Content-Range if one is given (end-5)."""
        headers = {"Content-Type": OCTETS, **({"Content-Range": span} if span else {})}
        return await self.send("PATCH", location, chunk, headers=headers)

    async def close(self, location: str, digest: str, rest: Any = None, span: str = "") -> Answer:
        """Close an upload session, maybe with the last bytes (end-6)."""
        headers = {"Content-Type": OCTETS, **({"Content-Range": span} if span else {})}
        return await self.send("PUT", with_query(location, digest=digest), rest, headers=headers)

    async def push_blob(self, data: bytes, algorithm: str = "sha256") -> str:
        """POST then PUT; return the digest."""
        digest = digest_of(data, algorithm)
        answer = await self.close(await self.start(), digest, data)
        assert answer.status == 201, answer
        return digest

    async def put_manifest(self, content: Content, reference: str = "") -> Answer:
        """Push the manifest alone, by its digest or as the reference says (end-7a, 7b)."""
        return await self.send(
            "PUT",
            f"manifests/{reference or content.digest}",
            content.body,
            headers={"Content-Type": content.media_type},
        )

    async def put_tag(self, content: Content, tag: str) -> Answer:
        """Push the manifest under a tag; one of another algorithm than sha256 has to say its digest too."""
        by_digest = content.algorithm != "sha256"
        return await self.put_manifest(content, f"{content.digest}?tag={tag}" if by_digest else tag)

    async def push(self, content: Content, *tags: str) -> str:
        """Push a manifest with all that it needs, then its tags; return the digest."""
        for blob in content.blobs:
            await self.push_blob(blob, content.algorithm)
        for child in content.children:
            await self.push(child)
        answers = [await self.put_manifest(content), *[await self.put_tag(content, tag) for tag in tags]]
        assert [answer.status for answer in answers] == [201] * len(answers), answers
        return content.digest

    async def tags(self, query: str = "") -> list[str]:
        answer = await self.get(f"tags/list{query}")
        assert answer.status == 200, answer
        assert answer.json()["name"] == self.name
        names = answer.json()["tags"]
        assert isinstance(names, list)
        return names

    async def referrers(self, digest: str, query: str = "") -> list[dict[str, Any]]:
        answer = await self.get(f"referrers/{digest}{query}")
        assert answer.status == 200, answer
        manifests = answer.json()["manifests"]
        assert isinstance(manifests, list)
        return manifests


async def open_repository(
    registry: Registry, actions: str = "pull,push,delete", name: str = ""
) -> Repository:
    """A repository that nobody else uses, or the named one, with a token for these actions."""
    name = name or f"conformance/{uuid4().hex}"
    return Repository(registry, name, bearer(await registry.token(f"repository:{name}:{actions}")))


def bearer(token: str) -> dict[str, str]:
    """The header for a token; none for a registry that asks for none."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def with_query(url: str, **parameters: str) -> str:
    """Add query parameters to a URL that may have some already."""
    query = "&".join(
        f"{name.replace('_', '-')}={quote(value, safe=':')}" for name, value in parameters.items()
    )
    return f"{url}{'&' if '?' in url else '?'}{query}"


def next_link(answer: Answer) -> str | None:
    """The URL in `Link: <url>; rel="next"` (RFC 5988), None without the header."""
    header = answer.headers.get("Link")
    if header is None:
        return None
    target, _, parameters = header.partition(">")
    assert target[:1] == "<"
    assert parameters.replace(" ", "") == ';rel="next"'
    return urljoin(answer.url, target[1:])


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
