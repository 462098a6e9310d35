"""Signatures under what URLs of ours say, so that nothing about them is stored: HMAC-SHA256 (RFC 2104)."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

import msgspec


class UrlSigner:
    """Signs with the first of its keys, and knows what any of them has signed."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys

    def sign(self, *said: str | int | None) -> str:
        """Return the signature, in characters that a URL takes."""
        return _signature(self._keys[0], said)

    def is_signed(self, signature: str, *said: str | int | None) -> bool:
        """Whether this is what one of the keys made of it."""
        shown = signature.encode(errors="replace")
        return any(hmac.compare_digest(_signature(key, said).encode(), shown) for key in self._keys)


def _signature(key: bytes, said: tuple[str | int | None, ...]) -> str:
    digest = hmac.digest(key, msgspec.json.encode(said), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
