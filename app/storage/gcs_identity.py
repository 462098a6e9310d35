"""Who we are to Google Cloud Storage, and what that identity signs."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

import google.auth
from google.auth.compute_engine import Credentials as MachineCredentials
from google.auth.credentials import Signing
from google.auth.exceptions import GoogleAuthError, TransportError
from google.auth.iam import Signer
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials as AccountCredentials

from app.storage.driver import StorageBusy, StorageError

_ALGORITHM: Final = "GOOG4-RSA-SHA256"
_SCOPES: Final = ["https://www.googleapis.com/auth/cloud-platform"]


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

    async def sign(self, url: str, lifetime: timedelta, chosen: dict[str, str]) -> str | None:
        """Return the URL so that anybody can GET it for as long (version 4); None: this identity cannot sign.

        `chosen`: more of its query.
        """
        if isinstance(self._credentials, Signing):
            email, sign = self._credentials.signer_email, self._credentials.sign_bytes
        elif isinstance(self._credentials, MachineCredentials):
            await self.token()  # only then it knows its name
            email = self._credentials.service_account_email
            signer: Any = Signer
            sign = signer(self._request, self._credentials, email).sign
        else:
            return None
        unsigned = _Unsigned(url, lifetime, email=email, chosen=chosen)
        with _identity_errors():
            return unsigned.with_signature(await asyncio.to_thread(sign, unsigned.text))


class _Unsigned:
    """A URL, and the text that its signature is of."""

    def __init__(self, url: str, lifetime: timedelta, *, email: str, chosen: dict[str, str]) -> None:
        now = datetime.now(UTC)
        scope = f"{now:%Y%m%d}/auto/storage/goog4_request"
        query = {
            **{name: value for name, value in chosen.items() if value},
            "X-Goog-Algorithm": _ALGORITHM,
            "X-Goog-Credential": f"{email}/{scope}",
            "X-Goog-Date": f"{now:%Y%m%dT%H%M%SZ}",
            "X-Goog-Expires": str(int(lifetime.total_seconds())),
            "X-Goog-SignedHeaders": "host",
        }
        pairs = "&".join(f"{name}={quote(query[name], safe='')}" for name in sorted(query))
        parts = urlsplit(url)
        asked = f"GET\n{parts.path}\n{pairs}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(asked.encode()).hexdigest()
        self.text: Final = f"{_ALGORITHM}\n{query['X-Goog-Date']}\n{scope}\n{digest}".encode()
        self._url = f"{url}?{pairs}"

    def with_signature(self, signature: bytes) -> str:
        return f"{self._url}&X-Goog-Signature={signature.hex()}"


@contextmanager
def _identity_errors() -> Iterator[None]:
    try:
        yield
    except TransportError as error:
        raise StorageBusy(f"Google does not say who we are: {error}") from error
    except (GoogleAuthError, OSError, ValueError) as error:
        raise StorageError(f"these are no credentials for Google Cloud Storage: {error}") from error
