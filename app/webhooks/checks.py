"""What is wrong with a policy that somebody wants, said before anything is stored."""

import re
import ssl
from collections.abc import Iterable
from typing import Final, cast
from urllib.parse import urlsplit

from app.harbor.doublestar import BadPattern, parse
from app.harbor.errors import BadRequest
from app.outgoing import Caller, CallFailed
from app.webhooks.event_types import TYPES
from app.webhooks.model import FORMATS, MAX_TARGETS, PayloadFormat, Target, TargetKind
from app.webhooks.schemas import WebhookPolicyReq, WebhookTargetReq

_EVENT_TYPES: Final = [kind.name for kind in TYPES]
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_VALUE: Final = re.compile(r"[\x20-\x7e\x80-\xff]{0,4096}")
_URL: Final = re.compile(r"[\x21-\x7e]+")
_OURS: Final = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)
_OUR_PREFIXES: Final = ("webhook-", "ce-", "proxy-")


def check_policy(wanted: WebhookPolicyReq) -> None:
    """Raise BadRequest that says what is wrong with a policy, wherever its targets are."""
    if not wanted.name.strip() or not wanted.name.isprintable():
        raise BadRequest("name: a policy has one, of characters that can be seen")
    _check_event_types(wanted.event_types)
    for own in wanted.filters or ():
        try:
            parse(own.pattern)
        except BadPattern:
            raise BadRequest(f"filters: {own.pattern[:100]!r} is no doublestar pattern") from None
    if not 0 < len(wanted.targets) <= MAX_TARGETS:
        raise BadRequest(f"targets: a policy has 1 to {MAX_TARGETS}")
    for target in wanted.targets:
        _check_target(target)
    if len({(target.kind, target.address) for target in wanted.targets}) < len(wanted.targets):
        raise BadRequest("targets: two of them have the same type and address")


def check_reach(wanted: Iterable[WebhookTargetReq], caller: Caller, present: Iterable[Target] = ()) -> None:
    """Raise BadRequest for a target where nobody may post to; names are looked up when they are called.

    Those that are there already are not judged again: what is forbidden since can still be disabled, and
    is refused at each call.
    """
    known = {target.address for target in present}
    for target in wanted:
        if target.address not in known:
            _check_reach(target.address, caller)


def format_of(target: WebhookTargetReq) -> tuple[TargetKind, PayloadFormat]:
    """Return type and format of a target that was checked; raise BadRequest for what there is not."""
    formats = FORMATS.get(cast("TargetKind", target.kind))
    if formats is None:
        raise BadRequest(f"type: {target.kind!r} is none of {', '.join(FORMATS)}")
    wanted = target.payload_format or formats[0]
    if wanted not in formats:
        raise BadRequest(f"payload_format: {wanted!r} is none that {target.kind} takes: {', '.join(formats)}")
    return cast("TargetKind", target.kind), wanted


def _check_event_types(given: Iterable[str]) -> None:
    unknown = [name[:64] for name in given if name not in _EVENT_TYPES]
    if unknown or not given:
        what = f"there is no {unknown[0]!r}" if unknown else "a policy names at least one"
        raise BadRequest(f"event_types: {what}; there are {', '.join(_EVENT_TYPES)}")


def _check_target(target: WebhookTargetReq) -> None:
    format_of(target)
    _check_address(target.address)
    if not _VALUE.fullmatch(target.auth_header):
        raise BadRequest("auth_header: it is one line of Latin letters, as it goes into `Authorization`")
    for name, value in (target.headers or {}).items():
        _check_header(name, value)
    if len({name.lower() for name in target.headers or ()}) < len(target.headers or ()):
        raise BadRequest("headers: two of them have the same name")
    if target.ca_certificate:
        _check_certificate(target.ca_certificate)


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        is_url = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise BadRequest("address: this is no URL") from None
    if not is_url or parts.scheme not in {"http", "https"} or not _URL.fullmatch(address):
        raise BadRequest("address: it is a URL such as https://example.com/path, special characters escaped")
    if parts.username is not None or parts.password is not None:
        raise BadRequest("address: no credentials in it; put them into auth_header, as `Basic ...`")


def _check_reach(address: str, caller: Caller) -> None:
    try:
        caller.check(address)
    except CallFailed as error:
        raise BadRequest(f"address: {error}") from None


def _check_header(name: str, value: str) -> None:
    lower = name.lower()
    if not _TOKEN.fullmatch(name):
        raise BadRequest(f"headers: {name[:100]!r} is no name of a header")
    if lower == "authorization":
        raise BadRequest("headers: `Authorization` has a field of its own, auth_header")
    if lower in _OURS or lower.startswith(_OUR_PREFIXES):
        raise BadRequest(f"headers: {name!r} is set by the registry itself")
    if not _VALUE.fullmatch(value):
        raise BadRequest(f"headers: the value of {name!r} is one line of Latin letters, 4096 at most")


def _check_certificate(pem: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError, TypeError):
        raise BadRequest("ca_certificate: it is one certificate or more in PEM") from None
