"""A client that sends blobs to the storage itself, by URLs that a registry signs for it."""

from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

from aiohttp import ClientSession

from app.storage import UploadState
from tests.conformance.client import Answer, Repository, with_query
from tests.support.registry import Registry

EVERYTHING = timedelta(seconds=-60)


@dataclass(frozen=True)
class Uploader:
    """Knows a repository, and the storage only by URLs: it has no credentials there."""

    repo: Repository

    async def ask(self, session: str, **query: str) -> Answer:
        named = {name: value for name, value in query.items() if name != "presigned"}
        url = with_query(session, presigned="true", **{n: v for n, v in named.items() if "_" not in n})
        under = [f"{n}={v}" for n, v in named.items() if "_" in n]
        return await self.repo.send("GET", "&".join([url, *under]))

    async def sign(self, session: str, **query: str) -> dict[str, Any]:
        answer = await self.ask(session, **query)
        assert answer.status == 200, answer
        document: dict[str, Any] = answer.json()
        return document

    async def put(self, signed: dict[str, Any], content: bytes) -> int:
        """Send bytes to where an answer says."""
        async with (
            ClientSession() as storage,
            storage.put(signed["presigned_url"], data=BytesIO(content), headers=signed["headers"]) as answer,
        ):
            return answer.status

    async def send(self, content: bytes, **query: str) -> str:
        """Start an upload, send all of it by one URL, and return the session."""
        session = await self.repo.start()
        assert await self.put(await self.sign(session, **query), content) < 300
        return session

    async def send_late(self, registry: Registry, signed: dict[str, Any], content: bytes) -> None:
        """Use a URL of an upload that is over: S3 refuses it, elsewhere what comes is nobody's and found."""
        status, found = await self.put(signed, content), await left_in(registry)
        if registry.resources.settings.storage.driver == "s3":
            assert (status, found) == (404, [])
        for state in found:
            await registry.resources.storage.discard(state)
        assert await left_in(registry) == []


async def left_in(registry: Registry) -> list[UploadState]:
    """Return what lies in the storage and is no blob yet."""
    return await registry.resources.storage.list_uploads(EVERYTHING)
