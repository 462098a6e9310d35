"""How the certificate of a server is checked."""

import ssl
from functools import lru_cache

from msgspec import Struct


class TLS(Struct, frozen=True):
    """Whether a certificate is verified, and by which authorities: those of the system, and one's own."""

    is_verified: bool = True
    ca_certificate: str = ""


class BadCertificate(Exception):
    """A certificate of an authority cannot be read."""

    def __init__(self) -> None:
        super().__init__("the certificate of the authority is not one in PEM")


@lru_cache(maxsize=256)
def context_for(tls: TLS) -> ssl.SSLContext:
    """Return the context; the same for the same, so that connections can be used again.

    Raises:
        BadCertificate: it can't be read.
    """
    context = ssl.create_default_context()
    if not tls.is_verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif tls.ca_certificate:
        try:
            context.load_verify_locations(cadata=tls.ca_certificate)
        except (ssl.SSLError, ValueError):
            raise BadCertificate from None
    return context
