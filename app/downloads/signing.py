"""Links that open a blob for whoever has them: signed with our key, so that nothing about them is stored.

The signature is an HMAC-SHA256 (RFC 2104) over everything that the link says.
"""

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from app.downloads.model import Link
from app.settings import AuthSettings


class LinkSigner:
    """Signs with the installation's key, and accepts what a previous one signed."""

    def __init__(self, settings: AuthSettings) -> None:
        self._keys = settings.keys_for(b"roadstead download link 1")

    def query(self, link: Link) -> str:
        """Return the query string of the link's URL."""
        said = {
            "repository": link.repository,
            "expires": str(int(link.expires_at.timestamp())),
            "content_type": link.presented.content_type,
            "content_disposition": link.presented.disposition,
        }
        shown = {name: value for name, value in said.items() if value}
        return urlencode({**shown, "signature": _signature(self._keys[0], link)})

    def is_signed(self, link: Link, signature: str) -> bool:
        """Whether we signed it, with whichever key."""
        shown = signature.encode(errors="replace")
        return any(hmac.compare_digest(_signature(key, link).encode(), shown) for key in self._keys)


def _signature(key: bytes, link: Link) -> str:
    said = msgspec.json.encode(
        [
            str(link.digest),
            link.repository,
            _seconds(link.expires_at),
            link.presented.content_type,
            link.presented.disposition,
        ]
    )
    return base64.urlsafe_b64encode(hmac.digest(key, said, hashlib.sha256)).decode().rstrip("=")


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
