"""Calling servers that users name.

The guard stands where connections are made: whatever a name resolved to, however an address was written,
the socket is made for an address that was checked, and for no other.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiohttp import (
    AddrInfoType,
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from msgspec import Struct
from yarl import URL

from app.outgoing.addresses import Addresses
from app.outgoing.resolver import Resolver
from app.outgoing.tls import TLS, BadCertificate, context_for
from app.settings import OutgoingSettings

_MAX_REDIRECTS: Final = 3
_KEEP_METHOD: Final = frozenset({307, 308})
_KEPT_BYTES: Final = 1024
_BODY_SECONDS: Final = 1.0
_IDLE_SECONDS: Final = 30.0
_KNOWN_SECONDS: Final = 5
"""Calls of the same moment share a look-up."""


class CallFailed(Exception):
    """There was no answer; the text says why, in words for the owner of a project."""


class AddressRefused(OSError):
    """A socket was wanted for an address that may not be called."""

    def __init__(self) -> None:
        super().__init__("not an address that may be called")


class Call(Struct, frozen=True):
    """A POST. `own_headers` are for the server that was named, not for one that it redirects to."""

    url: str
    body: bytes
    headers: dict[str, str]
    own_headers: dict[str, str]
    tls: TLS
    timeout_seconds: float


class Answer(Struct, frozen=True):
    """The answer to a call, its body not beyond the first bytes."""

    status: int
    retry_after: str
    body: bytes


class Caller:
    """Makes calls; connections stay open for the next one."""

    def __init__(self, session: ClientSession, addresses: Addresses) -> None:
        self._session = session
        self._addresses = addresses

    def check(self, url: str) -> None:
        """Raise CallFailed where a call to it is refused whatever names resolve to then."""
        try:
            host = _checked(URL(url)).host or ""
        except ValueError:
            raise CallFailed("this is no URL") from None
        if self._addresses.refuses(host):
            raise CallFailed(_refusal(host))

    async def post(self, call: Call) -> Answer:
        """Post and return the answer, that of the last redirect; raise CallFailed."""
        try:
            async with asyncio.timeout(call.timeout_seconds) as limit:
                return await self._follow(call, limit)
        except TimeoutError:
            raise CallFailed(f"no answer within {call.timeout_seconds:g} s") from None
        except BadCertificate as error:
            raise CallFailed(str(error)) from None
        except (ClientError, OSError, ValueError) as error:
            raise CallFailed(_reason(error)) from None

    async def _follow(self, call: Call, limit: asyncio.Timeout) -> Answer:
        named = url = _checked(URL(call.url))
        for _ in range(_MAX_REDIRECTS + 1):
            is_named = url.origin() == named.origin()
            tls = call.tls if is_named else TLS()
            async with self._session.post(
                url,
                data=call.body,
                headers=call.headers | call.own_headers if is_named else call.headers,
                ssl=context_for(tls) if url.scheme == "https" else True,
                allow_redirects=False,
            ) as response:
                if response.status not in _KEEP_METHOD or "Location" not in response.headers:
                    limit.reschedule(None)  # it has answered: what else it says has a limit of its own
                    return await _answer(response)
                url = _next(url, response.headers["Location"])
        raise CallFailed(f"more than {_MAX_REDIRECTS} redirects")


@asynccontextmanager
async def open_caller(settings: OutgoingSettings) -> AsyncIterator[Caller]:
    """Open it for as long as the block runs."""
    addresses = Addresses(settings)

    def checked_socket(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        if not addresses.takes(str(address[0])):
            raise AddressRefused
        return socket.socket(family, kind, protocol)

    resolver = Resolver()
    connector = TCPConnector(
        limit=0,  # callers have one for each server, so that none that stalls takes the place of others
        resolver=resolver,
        ttl_dns_cache=_KNOWN_SECONDS,
        keepalive_timeout=_IDLE_SECONDS,
        socket_factory=checked_socket,
    )
    async with ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        timeout=ClientTimeout(total=None),
        headers={"User-Agent": "roadstead", "Accept-Encoding": "identity"},
    ) as session:
        yield Caller(session, addresses)
    await resolver.close()


def _checked(url: URL) -> URL:
    if url.scheme not in {"http", "https"} or not url.host:
        raise CallFailed("the address is not one of http:// or https://")
    return url


def _next(url: URL, location: str) -> URL:
    """Return where a redirect leads: never out of TLS, and never with a name and password of its own."""
    try:
        following = _checked(url.join(URL(location)).with_user(None))
    except ValueError:
        raise CallFailed("a redirect leads to no address of http:// or https://") from None
    if url.scheme == "https" and following.scheme != "https":
        raise CallFailed("a redirect leads from https:// to http://")
    return following


async def _answer(response: ClientResponse) -> Answer:
    """Return it with as much of the body as comes: the status is what counts."""
    kept = b""
    with suppress(TimeoutError, ClientError):
        async with asyncio.timeout(_BODY_SECONDS):
            while len(kept) < _KEPT_BYTES and (some := await response.content.read(_KEPT_BYTES - len(kept))):
                kept += some
    if not response.content.at_eof():
        response.close()
    return Answer(response.status, response.headers.get("Retry-After", ""), kept)


def _refusal(host: str) -> str:
    return (
        f"{host} is in no network that may be called; the operator can allow it by ROADSTEAD_OUTGOING_ALLOW"
    )


def _reason(error: Exception) -> str:
    """Say what went wrong without an address: not everybody may know what a name of the inside leads to."""
    if isinstance(error, ClientConnectorCertificateError):
        inner = error.certificate_error
        text = inner.verify_message if isinstance(inner, ssl.SSLCertVerificationError) else "it is wrong"
        return f"the certificate is not trusted: {text}"
    if isinstance(error, ClientConnectorError):
        if isinstance(error.os_error, AddressRefused):
            return _refusal(error.host)
        return f"no connection to {error.host}:{error.port}"
    return f"no answer in HTTP: {type(error).__name__}"
