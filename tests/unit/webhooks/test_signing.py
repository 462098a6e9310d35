"""Signatures after Standard Webhooks, by the examples that are published with it."""

from datetime import UTC, datetime, timedelta

import pytest

from app.webhooks.model import SigningSecret
from app.webhooks.signing import key_of, sign

PUBLISHED = [
    (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    (
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        1649367553,
        b'{"email":"test@example.com","username":"test_user"}',
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    ),
]
FIRST, SECOND = (SigningSecret(secret) for secret, *_ in PUBLISHED)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(("secret", "id_", "timestamp", "body", "signature"), PUBLISHED)
def test_the_published_examples_come_out(
    secret: str, id_: str, timestamp: int, body: bytes, signature: str
) -> None:
    now = datetime.fromtimestamp(timestamp, UTC)
    assert sign([SigningSecret(secret)], id_, body, now=now) == {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }


def test_while_a_secret_is_replaced_both_sign_and_the_old_one_ends() -> None:
    old = SigningSecret(SECOND.secret, expires_at=NOW + timedelta(seconds=1))
    alone = {each: sign([each], "id", b"body", now=NOW)["webhook-signature"] for each in (FIRST, SECOND)}
    both = sign([FIRST, old], "id", b"body", now=NOW)["webhook-signature"]
    assert both == f"{alone[FIRST]} {alone[SECOND]}"
    later = sign([FIRST, old], "id", b"body", now=NOW + timedelta(seconds=1))["webhook-signature"]
    assert later == sign([FIRST], "id", b"body", now=NOW + timedelta(seconds=1))["webhook-signature"]


def test_without_a_secret_there_is_an_id_and_no_signature() -> None:
    assert sign([], "id", b"body", now=NOW) == {
        "webhook-id": "id",
        "webhook-timestamp": str(int(NOW.timestamp())),
    }


@pytest.mark.parametrize(
    "secret", ["whsec_", "whsec_short", "whsec_c2hvcnQ=", "whsec_" + "A" * 92, "ünïcode"]
)
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="a signing secret"):
        key_of(secret)
