"""URLs of a content delivery network in front of the storage, which are signed and end."""

import base64
import hashlib
import json
from typing import Final, Protocol
from urllib.parse import urlencode, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.settings import DownloadSettings, SettingsError

_OF_CLOUDFRONT: Final = str.maketrans("+=/", "-_~")


class SignUrl(Protocol):
    """Makes a URL good until a moment."""

    def __call__(self, url: str, until: int) -> str:
        """Return the URL with a signature; `until`: seconds since 1970."""


class SecureLink:
    """Signs as nginx checks it (`secure_link_md5 "$secure_link_expires$uri SECRET"`).

    That MD5 can be made to collide is no harm: who would forge a signature does not choose what we sign,
    and the secret comes last, so that nothing can be appended to it.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def __call__(self, url: str, until: int) -> str:
        """Append when it ends, and the hash."""
        said = f"{until}{urlsplit(url).path} {self._secret}".encode()
        digest = hashlib.md5(said, usedforsecurity=False).digest()
        signature = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return f"{url}?{urlencode({'md5': signature, 'expires': until})}"


class CloudFront:
    """Signs as Amazon CloudFront checks it: a canned policy by RSA, with SHA-1 as it wants it."""

    def __init__(self, private_key: str, key_id: str) -> None:
        try:
            key = load_pem_private_key(private_key.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SettingsError(f"downloads.cdn_key: this is no private key in PEM: {error}") from None
        if not isinstance(key, RSAPrivateKey):
            raise SettingsError("downloads.cdn_key: CloudFront wants an RSA key here")
        self._key = key
        self._key_id = key_id

    def __call__(self, url: str, until: int) -> str:
        """Append the end of the policy, its signature, and whose it is."""
        condition = {"DateLessThan": {"AWS:EpochTime": until}}
        policy = {"Statement": [{"Resource": url, "Condition": condition}]}
        said = json.dumps(policy, separators=(",", ":")).encode()
        signature = base64.b64encode(self._key.sign(said, PKCS1v15(), hashes.SHA1()))  # noqa: S303 - its choice
        shown = signature.decode().translate(_OF_CLOUDFRONT)
        return f"{url}?Expires={until}&Signature={shown}&Key-Pair-Id={self._key_id}"


def cdn_of(settings: DownloadSettings) -> SignUrl | None:
    """Return what signs URLs of the CDN, or None where there is none; raise SettingsError."""
    if not settings.cdn_url:
        return None
    key = str(settings.cdn_key)
    return SecureLink(key) if settings.cdn_signing == "secure_link" else CloudFront(key, settings.cdn_key_id)
