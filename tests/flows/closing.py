"""How a registry closes an upload by signed URLs, as each storage is asked for the steps."""

from collections.abc import Callable
from typing import Final, TypeAlias

from aiohttp import web

IsMeant: TypeAlias = Callable[[web.Request], bool]


def _is_copied(request: web.Request, below: str) -> bool:
    return "x-ms-copy-source" in request.headers and f"/{below}/" in request.path


def _is_composed(request: web.Request, below: str) -> bool:
    return request.path.endswith("/compose") and f"/{below}/" in request.path


STEPS: Final[dict[str, dict[str, IsMeant]]] = {
    "s3": {
        "end": lambda request: request.method == "POST" and "uploadId" in request.query,
        "read": lambda request: (
            request.method == "GET" and "/uploads/parts/" in request.path and "uploadId" not in request.query
        ),
        "copy": lambda request: "x-amz-copy-source" in request.headers,
        "removal": lambda request: (
            "delete" in request.query or (request.method == "DELETE" and "uploadId" not in request.query)
        ),
    },
    "azure": {
        "list": lambda request: request.query.get("comp") == "blocklist" and request.method == "PUT",
        "end": lambda request: _is_copied(request, "uploads"),
        "read": lambda request: (
            request.method == "GET" and "/uploads/" in request.path and "comp" not in request.query
        ),
        "copy": lambda request: _is_copied(request, "blobs"),
        "removal": lambda request: request.method == "DELETE",
    },
    "gcs": {
        "end": lambda request: _is_composed(request, "uploads"),
        "read": lambda request: "alt" in request.query,
        "copy": lambda request: _is_composed(request, "blobs"),
        "removal": lambda request: request.method == "DELETE",
    },
}
"""By driver and step: whether a request does it."""
