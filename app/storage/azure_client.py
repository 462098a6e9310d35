"""The way to one container on Azure: a client that retries with care, whose errors are those of storage."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import ClientSession, DummyCookieJar, TCPConnector
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline.transport import AioHttpTransport, HttpRequest
from azure.identity.aio import DefaultAzureCredential
from azure.storage.blob import BlobSasPermissions, UserDelegationKey, generate_blob_sas
from azure.storage.blob.aio import BlobClient, BlobServiceClient, ContainerClient, ExponentialRetry

from app.settings import StorageSettings
from app.storage.body import Body
from app.storage.driver import CredentialsRefused, StorageBusy, StorageError
from app.storage.patience import Attempts
from app.storage.sockets import ending_after

_PATIENCE: Final = frozenset({408, 429, 500, 502, 503, 504})
_REFUSED: Final = frozenset({401, 403})
_FAILED: Final = 300
_NOT_FOUND: Final = 404
_NAMED_BY: Final = "x-ms-request-id"
"""Azure names every request in its answer, and nobody else does."""
_ATTEMPTS: Final = "attempts_of_ours"
_PAUSE: Final = "pause_of_ours"
_READ_BYTES: Final = 1 << 20
_LARGEST_PUT: Final = 5_000 << 20
_KEY_LIFETIME: Final = timedelta(days=7)
"""The longest that Azure takes for a key, and so for a URL, of an identity."""


class BlobLeased(StorageError):
    """Somebody has a lease of the blob, and we have not."""


class _Retry(ExponentialRetry):
    """Waits as for every storage; Azure's own policy counts, and begins with a quarter of a minute."""

    def __init__(self, patience: timedelta) -> None:
        most = sys.maxsize
        super().__init__(retry_total=most, retry_connect=most, retry_read=most, retry_status=most)
        self._patience = patience

    def configure_retries(self, request: Any) -> dict[str, Any]:  # noqa: ANN401 - as the SDK has it
        asked = request.http_request
        attempts = Attempts(f"{asked.method} of {urlsplit(asked.url).path}", self._patience)
        return {**super().configure_retries(request), _ATTEMPTS: attempts}

    def increment(self, settings: dict[str, Any], *asked: Any, **failed: Any) -> bool:  # noqa: ANN401 - as the SDK has it
        """Raise StorageBusy in the end; what is refused for want of credentials is not asked for again."""
        error = failed.get("error")
        if isinstance(error, HttpResponseError):
            return False
        settings[_PAUSE] = settings[_ATTEMPTS].failed(error or _failure_of(failed["response"]))
        return bool(super().increment(settings, *asked, **failed))

    def get_backoff_time(self, settings: dict[str, Any]) -> float:
        pause: float = settings[_PAUSE]
        return pause


def _failure_of(response: Any) -> Exception:  # noqa: ANN401 - as the SDK has it
    """Return what an answer says in its headers; its body has not come."""
    code = response.headers.get("x-ms-error-code", "")
    return HttpResponseError(f"{response.status_code} {response.reason} {code}".rstrip())


class _Transport(AioHttpTransport):  # type: ignore[misc]  # it is loaded when it is asked for
    """Sends each body as a stream, and takes for an answer only what Azure says."""

    async def send(self, request: HttpRequest, **config: Any) -> Any:  # noqa: ANN401 - as the SDK has it
        body: Any = request.data
        if isinstance(body, bytes):
            stream: Any = Body(body)
            request.data = stream
        try:
            answer = await super().send(request, **config)
        finally:
            request.data = body  # another attempt begins with it
        if _is_made_up(answer):
            answer.internal_response.close()
            raise ServiceResponseError(f"{request.method} was answered {answer.status_code}, not by Azure")
        return answer


class Account:
    """The container's blobs below the prefix, by our own keys, and what signs URLs to them."""

    def __init__(self, service: BlobServiceClient, settings: StorageSettings) -> None:
        self._service = service
        self._settings = settings
        self._public_url = _url(settings, settings.public_endpoint or settings.endpoint)
        self._delegation: tuple[datetime, UserDelegationKey] | None = None
        self.container: Final[ContainerClient] = service.get_container_client(settings.bucket)
        self.prefix: Final = f"{settings.prefix.strip('/')}/" if settings.prefix.strip("/") else ""

    def blob(self, key: str) -> BlobClient:
        """Return the client of a blob."""
        return self.container.get_blob_client(self.prefix + key)

    async def sign(self, key: str, lifetime: timedelta, *, content_type: str, disposition: str) -> str:
        """Return a URL that opens the blob for as long, at the server as clients reach it."""
        return await self._sign(
            key,
            lifetime,
            permission=BlobSasPermissions(read=True),
            content_type=content_type or None,
            content_disposition=disposition or None,
        )

    async def sign_writing(self, key: str, lifetime: timedelta) -> str:
        """Return a URL by which anybody writes to the blob for as long."""
        return await self._sign(key, lifetime, permission=BlobSasPermissions(write=True))

    async def _sign(self, key: str, lifetime: timedelta, **chosen: Any) -> str:  # noqa: ANN401 - as the SDK has it
        now = datetime.now(UTC)
        account_key = str(self._settings.account_key)
        signature = generate_blob_sas(
            self._settings.account,
            self._settings.bucket,
            self.prefix + key,
            account_key=account_key or None,
            user_delegation_key=None if account_key else await self._delegated(now, now + lifetime),
            expiry=now + lifetime,
            **chosen,
        )
        return f"{self._public_url}/{self._settings.bucket}/{self.prefix}{key}?{signature}"

    async def _delegated(self, now: datetime, until: datetime) -> UserDelegationKey:
        """Return a key that Azure lends to our identity, and which lives long enough."""
        if self._delegation is None or self._delegation[0] < until:
            expiry = now + _KEY_LIFETIME
            with storage_errors():
                self._delegation = expiry, await self._service.get_user_delegation_key(now, expiry)
        return self._delegation[1]


@asynccontextmanager
async def open_account(settings: StorageSettings) -> AsyncIterator[Account]:
    """Lend the way to a container; raise StorageError unless there is one."""
    async with AsyncExitStack() as stack:
        if settings.account_key:
            # A plain string: the SDK knows nothing of ours.
            named = {"account_name": settings.account, "account_key": str(settings.account_key)}
            credential: dict[str, str] | DefaultAzureCredential = named
        else:
            credential = await stack.enter_async_context(DefaultAzureCredential())
        session = await stack.enter_async_context(_session(settings))
        service = BlobServiceClient(
            _url(settings, settings.endpoint),
            credential=credential,
            retry_policy=_Retry(settings.patience),
            transport=_Transport(
                session=session,
                session_owner=False,
                connection_timeout=settings.connect_timeout.total_seconds(),
                read_timeout=settings.read_timeout.total_seconds(),
                connection_data_block_size=_READ_BYTES,
            ),
            max_single_put_size=_LARGEST_PUT,
        )
        await stack.enter_async_context(service)
        account = Account(service, settings)
        await _find(account, settings)
        yield account


def _session(settings: StorageSettings) -> ClientSession:
    """Return what the SDK would open itself, but for its sockets."""
    connector = TCPConnector(socket_factory=ending_after(settings.read_timeout))
    return ClientSession(
        connector=connector, cookie_jar=DummyCookieJar(), auto_decompress=False, trust_env=True
    )


async def _find(account: Account, settings: StorageSettings) -> None:
    with storage_errors():
        if await account.container.exists():
            return
    raise StorageError(
        f"there is no container `{settings.bucket}` at {_url(settings, settings.endpoint)}: make it, or name "
        "another one by ROADSTEAD_STORAGE_BUCKET"
    )


def _is_made_up(answer: Any) -> bool:  # noqa: ANN401 - the SDK has two kinds of them
    """Whether a proxy that is not Azure says that something is done, or that there is nothing."""
    is_believed = answer.status_code < _FAILED or answer.status_code == _NOT_FOUND
    return is_believed and _NAMED_BY not in answer.headers


def _url(settings: StorageSettings, endpoint: str) -> str:
    if not endpoint:
        return f"https://{settings.account}.blob.core.windows.net"
    is_named = (urlsplit(endpoint).hostname or "").startswith(f"{settings.account}.")
    is_path_style = settings.path_style == "always" or (settings.path_style == "auto" and not is_named)
    return f"{endpoint.rstrip('/')}/{settings.account}" if is_path_style else endpoint.rstrip("/")


_KINDS: Final[dict[str, type[Exception]]] = {
    "BlobAlreadyExists": FileExistsError,
    "BlobNotFound": FileNotFoundError,
    "ConditionNotMet": StorageBusy,
    "InvalidBlobType": FileNotFoundError,  # a client with a URL made something else than we do
    "InvalidBlockList": FileNotFoundError,
    "LeaseIdMissing": BlobLeased,
    "SourceConditionNotMet": StorageBusy,
}


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raise FileNotFoundError, FileExistsError, StorageBusy or StorageError."""
    try:
        yield
    except HttpResponseError as error:
        raise _translated(error) from error
    except (ServiceRequestError, ServiceResponseError, TimeoutError) as error:
        raise StorageBusy(f"{type(error).__name__}: {error}") from error
    except AzureError as error:
        raise StorageError(f"{type(error).__name__}: {error}") from error


def _translated(error: HttpResponseError) -> Exception:
    code = str(getattr(getattr(error, "error_code", ""), "value", getattr(error, "error_code", "")))
    message = f"{code or type(error).__name__}: {error.message}"
    if isinstance(error, ResourceNotFoundError) and not code:
        return FileNotFoundError(message)
    if code in _KINDS:
        return _KINDS[code](message)
    if isinstance(error, ClientAuthenticationError) or error.status_code in _REFUSED:
        return CredentialsRefused(message)
    return StorageBusy(message) if error.status_code in _PATIENCE else StorageError(message)
