"""A caller of the management API that hides nothing: every call gives the whole answer back."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from aiohttp import encode_basic_auth
from multidict import CIMultiDictProxy
from yarl import URL

from tests.support.registry import Registry

API = "/api/v2.0"
PASSWORD = "Correct-horse-1"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, its body decoded where there is one."""

    status: int
    json: Any
    headers: CIMultiDictProxy[str]

    @property
    def code(self) -> str:
        """Harbor's code of an error."""
        return str(self.json["errors"][0]["code"])

    @property
    def message(self) -> str:
        """What an error says."""
        return str(self.json["errors"][0]["message"])

    @property
    def total(self) -> int:
        return int(self.headers["X-Total-Count"])

    @property
    def new_id(self) -> int:
        """The id at the end of `Location`."""
        assert self.status == 201, (self.status, self.json)
        return int(self.headers["Location"].rpartition("/")[2])


@dataclass(frozen=True)
class Caller:
    """Somebody who calls the API, with or without a login."""

    registry: Registry
    username: str = ""
    password: str = ""

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": encode_basic_auth(self.username, self.password)} if self.username else {}

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        **params: Any,
    ) -> Answer:
        """Call a path below /api/v2.0, or one of its own that begins with the API's prefix."""
        url = self.registry.url + (path if path.startswith("/api") else API + path)
        query = {name: str(value) for name, value in params.items()}
        async with self.registry.session.request(
            method,
            URL(url, encoded=True).update_query(query) if query else URL(url, encoded=True),
            json=body,
            headers=self.auth | (headers or {}),
        ) as answer:
            is_json = answer.content_type == "application/json" and method != "HEAD"
            content = await answer.json() if is_json else await answer.text()
            return Answer(answer.status, content, answer.headers)

    async def get(self, path: str, **params: Any) -> Answer:
        return await self("GET", path, **params)

    async def post(self, path: str, body: Any = None, **params: Any) -> Answer:
        return await self("POST", path, body, **params)

    async def put(self, path: str, body: Any = None, **params: Any) -> Answer:
        return await self("PUT", path, body, **params)

    async def delete(self, path: str, **params: Any) -> Answer:
        return await self("DELETE", path, **params)


def unique(prefix: str) -> str:
    """A name that no other test has."""
    return f"{prefix}-{uuid4().hex[:12]}"
