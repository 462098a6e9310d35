"""Signatures after Standard Webhooks: HMAC-SHA256 over id, time and body, one for each secret in force."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from app.webhooks.model import SigningSecret

_PREFIX: Final = "whsec_"
_SHORTEST_BYTES: Final = 24
_LONGEST_BYTES: Final = 64


def key_of(secret: str) -> bytes:
    """Return the bytes of a secret, `whsec_` and base64; raise ValueError unless they are 24 to 64."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        raise ValueError("a signing secret is whsec_ and base64") from None
    if not _SHORTEST_BYTES <= len(key) <= _LONGEST_BYTES:
        raise ValueError("a signing secret has 24 to 64 bytes")
    return key


def sign(secrets: Iterable[SigningSecret], delivery_id: str, body: bytes, *, now: datetime) -> dict[str, str]:
    """Return the headers by which a consumer knows the delivery, its time, and that it is ours."""
    timestamp = str(int(now.timestamp()))
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.digest(key_of(each.secret), signed, hashlib.sha256)).decode()
        for each in secrets
        if each.expires_at is None or each.expires_at > now
    ]
    headers = {"webhook-id": delivery_id, "webhook-timestamp": timestamp}
    return headers | ({"webhook-signature": " ".join(signatures)} if signatures else {})
