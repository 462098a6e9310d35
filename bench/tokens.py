"""Bearer tokens for distribution: it trusts whoever holds the key of a certificate. Needs `openssl`."""

import base64
import json
import subprocess
import time
from pathlib import Path

_LIFETIME = 3600


class Issuer:
    """Signs tokens as a registry's token service would."""

    def __init__(self, directory: Path) -> None:
        self.certificate = directory / "issuer.crt"
        self._key = directory / "issuer.key"
        request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=bench"]
        _openssl(*request, "-keyout", str(self._key), "-out", str(self.certificate))
        self._chain = "".join(self.certificate.read_text(encoding="ascii").splitlines()[1:-1])

    def authorize(self, repository: str) -> str:
        """Return the Authorization header of a client that may pull from and push to a repository."""
        now = int(time.time())
        access = [{"type": "repository", "name": repository, "actions": ["pull", "push"]}]
        span = {"nbf": now - 60, "iat": now - 60, "exp": now + _LIFETIME}
        claims = {"iss": "bench", "sub": "bench", "aud": "bench", "jti": str(now), **span, "access": access}
        header = {"typ": "JWT", "alg": "RS256", "x5c": [self._chain]}
        signed = b".".join(_encode(json.dumps(part).encode()) for part in (header, claims))
        signature = _openssl("dgst", "-sha256", "-sign", str(self._key), data=signed)
        return f"Bearer {(signed + b'.' + _encode(signature)).decode()}"


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _openssl(*argv: str, data: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *argv], input=data, capture_output=True, check=True).stdout
