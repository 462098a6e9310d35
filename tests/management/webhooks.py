"""Bodies and paths of webhook policies, for tests of the management API."""

from typing import Any

from tests.management.conftest import Project

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBEDCBt6ADAgECAgEBMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB2V4YW1wbGUw
HhcNMjYwMTAxMDAwMDAwWhcNNDYwMTAxMDAwMDAwWjASMRAwDgYDVQQDDAdleGFt
cGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGoWZXQed+RueAMpdyEr0ZNPQ
SixIubtze37U0DlSqXqucLQprlXNjdR0cJm8oOeZhaS9P7C56jYdmLnddMfV0DAK
BggqhkjOPQQDAgNIADBFAiBz0QPHYgkzKllWMNlOgkkd5PnXug4CzcpSQRTFDDIX
HQIhANimB9JBSBn+OJEcn6nppeO0JZrqp6TqdQ8lVY/HZgSM
-----END CERTIFICATE-----
"""
"""Of nobody: it is only looked at."""


def target(**fields: Any) -> dict[str, Any]:
    """A target as Harbor's clients send it."""
    return {
        "type": "http",
        "address": "https://hooks.example.com/build",
        "auth_header": "",
        "skip_cert_verify": False,
        "payload_format": "Default",
        **fields,
    }


def policy(**fields: Any) -> dict[str, Any]:
    """A policy as Harbor's clients send it."""
    return {
        "name": "build",
        "description": "",
        "event_types": ["PUSH_ARTIFACT"],
        "targets": [target()],
        "enabled": True,
        **fields,
    }


def path_of(project: Project) -> str:
    return f"{project.path}/webhook/policies"
