"""One attempt: a signed POST, and what came of it."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from uuid import UUID

import structlog
from msgspec import Struct

from app.outgoing import TLS, Answer, Call, Caller, CallFailed
from app.vault import SecretUnreadable
from app.webhooks.formats import Notice, render
from app.webhooks.health_model import bounded_wait
from app.webhooks.model import Target, TargetSecrets
from app.webhooks.signing import sign

log = structlog.get_logger()

_SUCCESS: Final = range(200, 300)
_BUSY: Final = frozenset({429, 503})
_GONE: Final = 410


class Claimed(Struct, frozen=True):
    """A delivery that is this worker's to send for a while.

    `number` counts its attempts, `tries` those since it was replayed. Where it is the probe, nothing else is
    sent before it is known what came of it.
    """

    id: int
    delivery_id: UUID
    number: int
    tries: int
    notice: Notice
    is_probe: bool = False


class Attempt(Struct, frozen=True):
    """What came of sending a delivery; `wait` is what the target asked for."""

    id: int
    number: int
    tries: int
    attempted_at: datetime
    took: timedelta
    status: int | None = None
    error: str = ""
    answer: str = ""
    wait: timedelta | None = None
    is_probe: bool = False

    @property
    def is_success(self) -> bool:
        """Whether it need not be sent again."""
        return self.status in _SUCCESS

    @property
    def is_gone(self) -> bool:
        """Whether the target says that it wants nothing any more."""
        return self.status == _GONE


async def send(caller: Caller, target: Target, claimed: Claimed, *, secrets: TargetSecrets | None) -> Attempt:
    """Send it once; whatever goes wrong is in what it returns."""
    attempted_at, began = datetime.now(UTC), time.monotonic()
    answer, error = None, ""
    try:
        if secrets is None:
            raise CallFailed(str(SecretUnreadable()))
        answer = await caller.post(_call(target, claimed, secrets=secrets, now=attempted_at))
    except CallFailed as failed:
        error = str(failed)
    except Exception as failed:
        # What cannot be sent must not hold up what is behind it.
        log.exception("webhook_not_sent", delivery=claimed.id)
        error = f"it could not be sent: {type(failed).__name__}"
    return Attempt(
        id=claimed.id,
        number=claimed.number,
        tries=claimed.tries,
        attempted_at=attempted_at,
        took=timedelta(seconds=time.monotonic() - began),
        status=answer.status if answer else None,
        error=error,
        answer=_readable(answer.body) if answer else "",
        wait=wait_of(answer, attempted_at) if answer else None,
        is_probe=claimed.is_probe,
    )


def _call(target: Target, claimed: Claimed, *, secrets: TargetSecrets, now: datetime) -> Call:
    message = render(target.kind, target.payload_format, claimed.notice)
    signed = sign(secrets.signing, str(claimed.delivery_id), message.body, now=now)
    signature = {name: signed.pop(name) for name in ("webhook-signature",) if name in signed}
    headers = message.headers | signed
    ours = {name.lower() for name in (*headers, *signature)}
    chosen = {name: value for name, value in secrets.headers.items() if name.lower() not in ours}
    authorization = {"Authorization": secrets.auth_header} if secrets.auth_header else {}
    return Call(
        url=target.address,
        body=message.body,
        headers=headers,
        own_headers=chosen | authorization | signature,
        tls=TLS(target.verifies_certificate, target.ca_certificate),
        timeout_seconds=target.timeout.total_seconds(),
    )


def wait_of(answer: Answer, now: datetime) -> timedelta | None:
    """Return how long a busy target wants to be left alone, as seconds or until a date."""
    if answer.status not in _BUSY or not answer.retry_after:
        return None
    if answer.retry_after.isascii() and answer.retry_after.isdecimal():
        return bounded_wait(timedelta(seconds=min(int(answer.retry_after[:9]), 10**6)))
    try:
        moment = parsedate_to_datetime(answer.retry_after)
    except ValueError:
        return None
    return bounded_wait(moment.replace(tzinfo=moment.tzinfo or UTC) - now)


def _readable(body: bytes) -> str:
    """Return what a log can show: no NUL, which PostgreSQL refuses, and nothing that steers a terminal."""
    text = body.decode(errors="replace")
    return "".join(
        each if each.isprintable() or each in "\n\t" else "\N{REPLACEMENT CHARACTER}" for each in text
    )
