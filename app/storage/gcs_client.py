"""The way to one bucket of Google Cloud Storage: requests that are tried again with care, by its JSON API."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from app.settings import StorageSettings
from app.storage.driver import CredentialsRefused, StorageBusy, StorageError
from app.storage.gcs_identity import Identity
from app.storage.patience import Attempts
from app.storage.sockets import ending_after

_GOOGLE: Final = "https://storage.googleapis.com"
_PATIENCE: Final = frozenset({408, 429, 500, 502, 503, 504})
_CONNECTIONS: Final = 256
_REFUSED: Final = frozenset({401, 403})
_NOT_FOUND: Final = 404
_EXISTS: Final = 412
_FAILED: Final = 400


class Request(NamedTuple):
    """What is asked of the service."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    content: tuple[bytes | memoryview, ...] = ()


class Bucket:
    """The bucket's objects below the prefix, by our own keys."""

    def __init__(self, session: ClientSession, identity: Identity | None, settings: StorageSettings) -> None:
        self._session = session
        # Over a line that anybody can read, no token goes: that is an emulator.
        self._is_plain = settings.endpoint.startswith("http://")
        self.identity: Final = identity
        self._patience = settings.patience
        self._host = (settings.endpoint or _GOOGLE).rstrip("/")
        self.name: Final = settings.bucket
        self._public_host = (settings.public_endpoint or self._host).rstrip("/")
        self.prefix: Final = f"{settings.prefix.strip('/')}/" if settings.prefix.strip("/") else ""

    def path(self, key: str) -> str:
        """Return the path of an object's metadata."""
        return f"/storage/v1/b/{self.name}/o/{quote(self.prefix + key, safe='')}"

    def url(self, key: str) -> str:
        """Return the URL of an object at the server as clients reach it."""
        return f"{self._public_host}/{self.name}/{self.prefix}{key}"

    async def ask(self, request: Request) -> Any:  # noqa: ANN401 - it is JSON
        """Ask, and return what the service says.

        Raises FileNotFoundError, FileExistsError, StorageBusy or StorageError.
        """
        async with self.open(request) as answer:
            try:
                said = await answer.json(content_type=None)
            except (ClientError, TimeoutError, OSError, ValueError) as error:
                raise StorageBusy(f"{type(error).__name__}: {error}") from error
        if not isinstance(said, dict) or "kind" not in said:
            # So a proxy answers that is not Google, whose answers say of what kind they are.
            raise StorageBusy(f"{request.path} was answered 200 and not done, as far as the answer says")
        return said

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[ClientResponse]:
        """Ask, as often as it is worth while, and lend the answer before its body has come."""
        answer = await self._answer(request)
        try:
            yield answer
        finally:
            answer.close()

    async def _answer(self, request: Request) -> ClientResponse:
        attempts = Attempts(f"{request.method} of {request.path}", self._patience)
        while True:
            try:
                answer = await self._try(request)
            except StorageBusy as error:
                pause = attempts.failed(error)
            else:
                attempts.ended()
                return answer
            await asyncio.sleep(pause)

    async def _try(self, request: Request) -> ClientResponse:
        try:
            answer = await self._session.request(
                request.method,
                self._host + request.path,
                params=request.query,
                headers={**request.headers, **await self._authorization()},
                data=_sent(request.content) if request.content else None,
            )
            if answer.status < _FAILED:
                return answer
            raise _failure(answer.status, f"{request.path}: {await answer.text(errors='replace')}")
        except (ClientError, TimeoutError, OSError) as error:
            if isinstance(error, FileNotFoundError | FileExistsError):
                raise
            raise StorageBusy(f"{type(error).__name__}: {error}") from error

    async def _authorization(self) -> dict[str, str]:
        if self.identity is None or self._is_plain:
            return {}
        return {"Authorization": f"Bearer {await self.identity.token()}"}


@asynccontextmanager
async def open_bucket(settings: StorageSettings) -> AsyncIterator[Bucket]:
    """Lend the way to a bucket; raise StorageError unless there is one."""
    timeout = ClientTimeout(
        total=None,
        sock_connect=settings.connect_timeout.total_seconds(),
        sock_read=settings.read_timeout.total_seconds(),
    )
    connector = TCPConnector(limit=_CONNECTIONS, socket_factory=ending_after(settings.read_timeout))
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            ClientSession(timeout=timeout, connector=connector, cookie_jar=DummyCookieJar())
        )
        is_anonymous = settings.endpoint.startswith("http://") and not settings.credentials_file
        identity = None if is_anonymous else Identity(settings.credentials_file)
        bucket = Bucket(session, identity, settings)
        await _find(bucket)
        yield bucket


async def _find(bucket: Bucket) -> None:
    try:
        await bucket.ask(Request("GET", f"/storage/v1/b/{bucket.name}/o", {"maxResults": "1"}))
    except FileNotFoundError:
        raise StorageError(
            f"there is no bucket `{bucket.name}` on Google Cloud Storage: make it, or name another one by "
            "ROADSTEAD_STORAGE_BUCKET"
        ) from None


async def _sent(content: tuple[bytes | memoryview, ...]) -> AsyncIterator[bytes | memoryview]:
    """Send a body piece by piece: all of it at once would hold up the event loop."""
    for piece in content:
        yield piece


def _failure(status: int, message: str) -> Exception:
    if status == _NOT_FOUND:
        return FileNotFoundError(message)
    if status == _EXISTS:
        return FileExistsError(message)
    if status in _REFUSED:
        return CredentialsRefused(message)
    return StorageBusy(message) if status in _PATIENCE else StorageError(message)
