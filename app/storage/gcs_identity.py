"""Who we are to Google Cloud Storage, and what that identity signs."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

import google.auth
from google.auth.compute_engine import Credentials as MachineCredentials
from google.auth.credentials import Signing
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.iam import Signer
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials as AccountCredentials

from app.storage.driver import CredentialsMissing, CredentialsRefused

_ALGORITHM: Final = "GOOG4-RSA-SHA256"
_SCOPES: Final = ["https://www.googleapis.com/auth/cloud-platform"]


class Asked(NamedTuple):
    """What anybody may ask for as long, by this URL with more in its query, and with these headers."""

    method: str
    url: str
    lifetime: timedelta
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}


class Identity:
    """Credentials from a file, or of the machine; the SDK blocks, so it works in threads."""

    def __init__(self, credentials_file: str) -> None:
        account: Any = AccountCredentials  # the SDK is typed here and there
        with _identity_errors():
            self._credentials: Any = (
                account.from_service_account_file(credentials_file, scopes=_SCOPES)
                if credentials_file
                else google.auth.default(scopes=_SCOPES)[0]
            )
        self._request = Request()
        self._refreshing = asyncio.Lock()

    async def token(self) -> str:
        """Return a token that is good for a while."""
        async with self._refreshing:
            if not self._credentials.valid:
                with _identity_errors():
                    await asyncio.to_thread(self._credentials.refresh, self._request)
        return str(self._credentials.token)

    @property
    def can_sign(self) -> bool:
        """Whether it has a key, or a service that signs for it."""
        return isinstance(self._credentials, Signing | MachineCredentials)

    async def sign(self, asked: Asked) -> str:
        """Return the URL with a signature (version 4)."""
        if isinstance(self._credentials, MachineCredentials):
            await self.token()  # only then it knows its name
            email = self._credentials.service_account_email
            signer: Any = Signer
            sign = signer(self._request, self._credentials, email).sign
        else:
            email, sign = self._credentials.signer_email, self._credentials.sign_bytes
        unsigned = _Unsigned(asked, email)
        with _identity_errors():
            return unsigned.with_signature(await asyncio.to_thread(sign, unsigned.text))


class _Unsigned:
    """A URL, and the text that its signature is of."""

    def __init__(self, asked: Asked, email: str) -> None:
        now = datetime.now(UTC)
        parts = urlsplit(asked.url)
        headers = {"host": parts.netloc, **asked.headers}
        names = ";".join(sorted(headers))
        scope = f"{now:%Y%m%d}/auto/storage/goog4_request"
        query = {
            **{name: value for name, value in asked.query.items() if value},
            "X-Goog-Algorithm": _ALGORITHM,
            "X-Goog-Credential": f"{email}/{scope}",
            "X-Goog-Date": f"{now:%Y%m%dT%H%M%SZ}",
            "X-Goog-Expires": str(int(asked.lifetime.total_seconds())),
            "X-Goog-SignedHeaders": names,
        }
        pairs = "&".join(f"{name}={quote(query[name], safe='')}" for name in sorted(query))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        canonical = f"{asked.method}\n{parts.path}\n{pairs}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        self.text: Final = f"{_ALGORITHM}\n{query['X-Goog-Date']}\n{scope}\n{digest}".encode()
        self._url = f"{asked.url}?{pairs}"

    def with_signature(self, signature: bytes) -> str:
        return f"{self._url}&X-Goog-Signature={signature.hex()}"


@contextmanager
def _identity_errors() -> Iterator[None]:
    try:
        yield
    except TransportError as error:
        raise CredentialsMissing(f"Google does not say who we are: {error}") from error
    except (GoogleAuthError, OSError, ValueError) as error:
        raise CredentialsRefused(f"these are no credentials for Google Cloud Storage: {error}") from error
