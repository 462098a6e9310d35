"""Facts about a request that several slices need."""

import re
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from secrets import token_hex
from typing import Final, TypeAlias

from aiohttp import web

_ID: Final = web.RequestKey("request_id", str)
_SANE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
API_VERSION: Final = {"Docker-Distribution-Api-Version": "registry/2.0"}
"""What old clients want to see on the version check and on its 401."""

EXTERNAL_URL: Final = web.AppKey("external_url", str)

Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]
TRUSTED_PROXIES: Final = web.AppKey[Networks]("trusted_proxies")
_ADDRESS: Final = web.RequestKey("address", str)


def request_id(request: web.Request) -> str:
    """Return the request's identifier: the client's `X-Request-Id` where it is sane, else a new one."""
    known = request.get(_ID)
    if known is None:
        given = request.headers.get("X-Request-Id", "")
        known = request[_ID] = given if _SANE_ID.fullmatch(given) else token_hex(16)
    return known


def mark(response: web.StreamResponse, identifier: str) -> None:
    """Put into an answer the identifier that the logs have, and our name where aiohttp would put its own."""
    response.headers["X-Request-Id"] = identifier
    response.headers["Server"] = "Roadstead"


async def mark_answer(request: web.Request, response: web.StreamResponse) -> None:
    """Mark what answers a request."""
    mark(response, request_id(request))


def client_address(request: web.Request) -> str:
    """Return where the request comes from: the first address on the way back that is no proxy of ours."""
    known = request.get(_ADDRESS)
    if known is None:
        known = request[_ADDRESS] = _address_behind(request, request.app.get(TRUSTED_PROXIES, ()))
    return known


def _address_behind(request: web.Request, proxies: Networks) -> str:
    address = _plain(request.remote or "")
    hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",") if proxies else []
    while hops and _is_within(address, proxies) and _is_within(_plain(hops[-1]), None):
        address = _plain(hops.pop())
    return address


def _plain(address: str) -> str:
    """Write an address as networks know it: without a zone, and IPv4 as such where a socket takes both."""
    bare = address.strip().partition("%")[0]
    if not bare.startswith("::"):
        return bare
    try:
        return str(IPv6Address(bare).ipv4_mapped or bare)
    except ValueError:
        return bare


def _is_within(address: str, networks: Networks | None) -> bool:
    """Whether it is an address, and where networks are given, one of theirs."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return networks is None or any(parsed in network for network in networks)


def is_api(request: web.Request) -> bool:
    """Whether the request is to the management API, and wants its kind of answers."""
    return request.path.startswith("/api/")


def base_url(request: web.Request) -> str:
    """Return how clients reach this service, without a slash at the end."""
    return request.app[EXTERNAL_URL] or f"{request.scheme}://{request.host}"


def is_known(request: web.Request, digest: str) -> bool:
    """Whether the client says that it has this content (RFC 9110, section 13.1.2, If-None-Match)."""
    given = request.headers.get("If-None-Match")
    return given is not None and (given.strip() == "*" or f'"{digest}"' in given)
