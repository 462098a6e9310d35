"""Manifests and indexes, checked as far as a registry needs (image-spec: manifest.md, image-index.md).

The bytes stay as they came; what is parsed here is only read.
"""

import json
from typing import Any, Final

from msgspec import Struct

from app.oci.digest import Digest
from app.oci.errors import DigestInvalid, ManifestInvalid
from app.oci.media_types import ACCEPTED, INDEXES, NON_DISTRIBUTABLE, WASM_CONFIG

_MAX_SIZE: Final = 2**63 - 1
_MAX_MEDIA_TYPE: Final = 255  # RFC 6838, section 4.2: 127 + "/" + 127
_INDEX_TYPE: Final = "org.opencontainers.artifactType"
_WASM_ANNOTATIONS: Final = {"module.wasm.image/variant": "compat", "run.oci.handler": "wasm"}


class Descriptor(Struct, frozen=True):
    """What a manifest says of content it names (image-spec, descriptor.md)."""

    media_type: str
    digest: Digest
    size_bytes: int


class Manifest(Struct, frozen=True):
    """An image manifest or an index of either family, with what it refers to."""

    media_type: str
    artifact_type: str | None
    config: Descriptor | None
    layers: tuple[Descriptor, ...]
    children: tuple[Descriptor, ...]
    subject: Descriptor | None
    annotations: dict[str, str]

    @property
    def is_index(self) -> bool:
        """Whether it lists other manifests."""
        return self.media_type in INDEXES

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Config and layers."""
        return (*((self.config,) if self.config else ()), *self.layers)

    @property
    def content_size_bytes(self) -> int:
        """What config and layers say that they have together, as far as a database can count."""
        return min(sum(blob.size_bytes for blob in self.blobs), _MAX_SIZE)

    @property
    def described_type(self) -> str:
        """The media type that says what kind of artifact it is: the config's, or that of an annotation."""
        if any(self.annotations.get(key) == value for key, value in _WASM_ANNOTATIONS.items()):
            return WASM_CONFIG
        named = self.config.media_type if self.config else self.annotations.get(_INDEX_TYPE, self.media_type)
        return named if len(named) <= _MAX_MEDIA_TYPE and named.isprintable() else ""

    @property
    def required_blobs(self) -> set[Digest]:
        """The blobs that must be in the repository: all but non-distributable layers."""
        return {blob.digest for blob in self.blobs if blob.media_type not in NON_DISTRIBUTABLE}


def parse_manifest(content: bytes, content_type: str) -> Manifest:
    """Parse a manifest that was sent with this Content-Type (may be empty).

    Raises:
        ManifestInvalid: not JSON, ambiguous (duplicate keys), nested too deep, of an unknown or
            contradicting media type, or with malformed descriptors; the detail says which.
        DigestInvalid: a descriptor's digest is malformed or of an unknown algorithm.
    """
    document = _load(content)
    declared = document.get("mediaType")
    if not isinstance(declared, str | None):
        raise ManifestInvalid("mediaType must be a string")
    announced = content_type.partition(";")[0].strip()
    if declared is not None and announced and declared != announced:
        raise ManifestInvalid(f"mediaType {declared[:200]!r} contradicts Content-Type {announced[:200]!r}")
    media_type = declared or announced
    if media_type not in ACCEPTED:
        raise ManifestInvalid(f"media type {media_type[:200]!r} is not a manifest that this registry knows")
    if document.get("schemaVersion") != 2:  # noqa: PLR2004 - the spec's only value
        raise ManifestInvalid("schemaVersion must be 2")
    is_index = media_type in INDEXES
    if ("manifests" not in document) if is_index else ("config" not in document):
        raise ManifestInvalid("an index needs `manifests`" if is_index else "a manifest needs `config`")
    if is_index and ("config" in document or "layers" in document):
        raise ManifestInvalid("an index has no `config` and no `layers`")
    config = None if is_index else _descriptor(document["config"], "config")
    return Manifest(
        media_type=media_type,
        artifact_type=_artifact_type(document, config),
        config=config,
        layers=() if is_index else _descriptors(document, "layers"),
        children=_descriptors(document, "manifests") if is_index else (),
        subject=_descriptor(document["subject"], "subject") if document.get("subject") is not None else None,
        annotations=_annotations(document.get("annotations")),
    )


def _artifact_type(document: dict[str, Any], config: Descriptor | None) -> str | None:
    """Return what the referrers list shows: `artifactType`, else the config's media type."""
    value = document.get("artifactType") or (config.media_type if config else None)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _MAX_MEDIA_TYPE or not value.isprintable():
        raise ManifestInvalid("artifactType or the config's mediaType is not a media type")
    return value


def _load(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ManifestInvalid(f"not JSON: {error}") from None
    except RecursionError:
        raise ManifestInvalid("nested too deep") from None
    except ValueError as error:  # an integer of thousands of digits
        raise ManifestInvalid(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise ManifestInvalid("not a JSON object")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse duplicate keys: two readers could see two different manifests under one digest."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ManifestInvalid("an object has the same key twice")
    return result


def _no_constant(name: str) -> None:
    raise ManifestInvalid(f"{name} is not JSON")


def _descriptors(document: dict[str, Any], key: str) -> tuple[Descriptor, ...]:
    values = document.get(key)
    if values is None:
        return ()
    if not isinstance(values, list):
        raise ManifestInvalid(f"{key} must be a list")
    return tuple(_descriptor(value, f"{key}[{index}]") for index, value in enumerate(values))


def _descriptor(value: object, where: str) -> Descriptor:
    if not isinstance(value, dict):
        raise ManifestInvalid(f"{where} must be a descriptor")
    media_type, digest, size = value.get("mediaType"), value.get("digest"), value.get("size")
    if not isinstance(media_type, str) or not isinstance(digest, str):
        raise ManifestInvalid(f"{where} needs mediaType and digest")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _MAX_SIZE:
        raise ManifestInvalid(f"{where} needs a size in bytes")
    try:
        return Descriptor(media_type, Digest.parse(digest), size)
    except DigestInvalid:
        raise DigestInvalid(f"{where}: {digest[:200]}") from None


def _annotations(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ManifestInvalid("annotations must be a map of strings")
    return value
