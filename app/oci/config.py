"""What the config of an artifact says of it: of images the outline, of other artifacts all of it."""

from typing import Any, Final

import msgspec

from app.oci.media_types import DOCKER_CONFIG, OCI_CONFIG

MAX_BYTES: Final = 1 << 20
"""Larger configs are not read."""

_MAX_KEPT_BYTES: Final = 64 << 10
"""A list shows a hundred of them."""

_AUTHOR_LABELS: Final = ("org.opencontainers.image.authors", "maintainer")


def load_config(content: bytes) -> dict[str, Any] | None:
    """Return the document, or None where it is no JSON object that every database and client can take."""
    try:
        document = msgspec.json.decode(content)
        msgspec.json.encode(document)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError):
        return None
    return document if isinstance(document, dict) else None


def attributes_of(media_type: str, content: bytes) -> dict[str, Any] | None:
    """Return what lists show of a config (Harbor's `extra_attrs`); None for nothing."""
    document = load_config(content)
    if document is None:
        return None
    if media_type in {OCI_CONFIG, DOCKER_CONFIG}:
        document = _of_image(document)
    if len(msgspec.json.encode(document)) > _MAX_KEPT_BYTES:
        document.pop("config", None)
    return document if 0 < len(msgspec.json.encode(document)) <= _MAX_KEPT_BYTES else None


def _of_image(document: dict[str, Any]) -> dict[str, Any]:
    """Return the outline of an image (image-spec, config.md)."""
    config = document.get("config")
    labels = config.get("Labels") if isinstance(config, dict) else None
    named = labels if isinstance(labels, dict) else {}
    authors = (document.get("author"), *(named.get(label) for label in _AUTHOR_LABELS))
    return {
        "architecture": document.get("architecture", ""),
        "os": document.get("os", ""),
        "created": document.get("created"),
        "author": next((author for author in authors if author), ""),
        "config": config if isinstance(config, dict) else {},
    }
