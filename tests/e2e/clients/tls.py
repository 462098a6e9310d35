"""The registry behind a proxy that speaks TLS, for clients that give passwords to nobody without it."""

import contextlib
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.clients.registry import Registry, running_registry
from tests.e2e.clients.relay import Relay


@dataclass(frozen=True)
class Secured:
    """A registry, the address of the proxy before it, and the certificate to trust."""

    registry: Registry
    address: str
    certificate: Path


@contextlib.contextmanager
def secured_registry(directory: Path) -> Iterator[Secured]:
    """Starts a registry that knows itself by the proxy's URL."""
    certificate, key = directory / "certificate.crt", directory / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"),
            *("-days", "2", "-subj", "/CN=roadstead", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-out", certificate, "-keyout", key),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Relay() as freed:
        listen = freed.address  # `up` announces only the proxy's address, so ours must be known before
    with (
        Relay(context) as relay,
        running_registry(
            directory / "data",
            ROADSTEAD_LISTEN=listen,
            ROADSTEAD_EXTERNAL_URL=f"https://{relay.address}",
        ) as registry,
        relay.passing_on_to(registry.address),
    ):
        yield Secured(registry, relay.address, certificate)
