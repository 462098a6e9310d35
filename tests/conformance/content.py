"""Manifests of every kind that the specification knows, made from nothing."""

import gzip
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
EMPTY = "application/vnd.oci.empty.v1+json"
FOREIGN_LAYER = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
OCTETS = "application/octet-stream"
SBOM = "application/vnd.example.sbom.v1"
SIGNATURE = "application/vnd.example.signature.v1"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Content:
    """A manifest, and all that has to be pushed before it."""

    body: bytes
    media_type: str
    algorithm: str = "sha256"
    blobs: tuple[bytes, ...] = ()
    children: tuple["Content", ...] = ()

    @property
    def digest(self) -> str:
        return digest_of(self.body, self.algorithm)

    @property
    def document(self) -> Document:
        loaded: Document = json.loads(self.body)
        return loaded

    def descriptor(self, **more: Any) -> Document:
        return descriptor(self.media_type, self.body, algorithm=self.algorithm, **more)


@dataclass(frozen=True, slots=True)
class Kind:
    """The three media types of an image manifest."""

    manifest: str = MANIFEST
    config: str = CONFIG
    layer: str = LAYER


DOCKER = Kind(DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER)
OCI = Kind()
OCI_GZIP = Kind(layer=f"{LAYER}+gzip")
OCI_ZSTD = Kind(layer=f"{LAYER}+zstd")


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def unique(size: int = 64) -> bytes:
    """Bytes that no other test has."""
    return os.urandom(size)


def damaged(data: bytes) -> bytes:
    """The same but for one bit of the last byte, whatever that byte is."""
    return data[:-1] + bytes([data[-1] ^ 1])


def descriptor(media_type: str, data: bytes, /, *, algorithm: str = "sha256", **more: Any) -> Document:
    return {"mediaType": media_type, "digest": digest_of(data, algorithm), "size": len(data), **more}


def image(
    layers: Sequence[bytes] = (b"first layer", b"second layer"),
    /,
    *,
    kind: Kind = OCI,
    config: bytes = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}',
    algorithm: str = "sha256",
    **fields: Any,
) -> Content:
    """An image manifest; further fields are laid over the document."""
    document = {
        "schemaVersion": 2,
        "mediaType": kind.manifest,
        "config": descriptor(kind.config, config, algorithm=algorithm),
        "layers": [descriptor(kind.layer, layer, algorithm=algorithm) for layer in layers],
        **fields,
    }
    return Content(encode(document), kind.manifest, algorithm, (config, *layers))


def index(
    children: Sequence[Content], *, media_type: str = INDEX, algorithm: str = "sha256", **fields: Any
) -> Content:
    """An image index or a manifest list; further fields are laid over the document."""
    platforms = ({"os": "linux", "architecture": name} for name in ("amd64", "arm64", "s390x", "riscv64"))
    manifests = [
        child.descriptor(platform=platform) for child, platform in zip(children, platforms, strict=False)
    ]
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": manifests, **fields}
    return Content(encode(document), media_type, algorithm, children=tuple(children))


def artifact(artifact_type: str = SBOM, payload: bytes = b"an artifact", **fields: Any) -> Content:
    """An artifact in the form of an image manifest with an empty configuration."""
    fields = {"artifactType": artifact_type, **fields}
    return image([payload], kind=Kind(MANIFEST, EMPTY, artifact_type), config=b"{}", **fields)


def encode(document: Document) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def two_platforms(algorithm: str = "sha256") -> list[Content]:
    return [
        image([name], config=b'{"architecture":"%s","os":"linux"}' % name, algorithm=algorithm)
        for name in (b"amd64", b"arm64")
    ]


def large_manifest() -> Content:
    """Just below 4 MiB: what a registry should at least take (spec, "Pushing Manifests")."""
    return image(annotations={f"large-annotation-{i}": "A" * 10_000 for i in range(390)})


def data_field() -> Content:
    """Descriptors with their content embedded, base64 of `{}`."""
    embedded = descriptor(EMPTY, b"{}", data="e30=")
    document = {**artifact().document, "config": embedded, "layers": [embedded]}
    return Content(encode(document), MANIFEST, blobs=(b"{}",))


def nondistributable_layers(foreign_type: str = FOREIGN_LAYER, kind: Kind = OCI_GZIP) -> Content:
    """Layers that nobody may push, beside one that is there."""
    foreign = descriptor(foreign_type, b"somewhere else", urls=["https://example.org/layer.tar.gz"])
    here = descriptor(kind.layer, b"here")
    return image([b"here"], kind=kind, layers=[foreign, here, foreign])


def custom_fields() -> Content:
    """Fields that no specification knows, at every level: kept byte for byte."""
    custom: Document = {"org.example.custom": {"deep": [1.5, None, "\u00fc\u0000"]}}
    inner = image(config=encode(custom))
    child = Content(encode(inner.document | custom), MANIFEST, blobs=inner.blobs)
    return Content(encode(index([child]).document | custom), INDEX, children=(child,))


def odd_bytes() -> Content:
    """White space, key order and escapes that a re-serialising registry would lose."""
    document = image().document
    body = b"\n\t" + json.dumps(document, indent=3, sort_keys=True).replace("/", "\\/").encode() + b"  \r\n"
    return Content(body, MANIFEST, blobs=image().blobs)


def missing_subject() -> Content:
    return artifact(subject=descriptor(MANIFEST, b"was never pushed"))


def without_media_type() -> Content:
    """The field is only a SHOULD; the Content-Type header says what it is."""
    made = image()
    document = {name: value for name, value in made.document.items() if name != "mediaType"}
    return Content(encode(document), MANIFEST, blobs=made.blobs)


DATA_SETS: dict[str, Callable[[], Content]] = {
    "image": lambda: image([gzip.compress(b"a layer", mtime=0)], kind=OCI_GZIP),
    "image-uncompressed": image,
    "image-zstd": lambda: image(kind=OCI_ZSTD),
    "large-manifest": large_manifest,
    "index": lambda: index(two_platforms()),
    "nested-index": lambda: index([index(two_platforms()), index([image()])]),
    "empty-index": lambda: index([]),
    "artifact": artifact,
    "artifact-index": lambda: index([artifact(), artifact(SIGNATURE)], artifactType=SBOM),
    "artifact-without-layers": lambda: image(
        [b"{}"], kind=Kind(MANIFEST, EMPTY, EMPTY), config=b"{}", artifactType=SBOM
    ),
    "index-with-subject": lambda: index([image()], subject=image().descriptor()),
    "missing-subject": missing_subject,
    "data-field": data_field,
    "nondistributable-layers": nondistributable_layers,
    "docker-foreign-layers": lambda: nondistributable_layers(DOCKER_FOREIGN_LAYER, DOCKER),
    "custom-fields": custom_fields,
    "no-layers": lambda: image([]),
    "sha512": lambda: image(algorithm="sha512"),
    "sha512-index": lambda: index(two_platforms("sha512"), algorithm="sha512"),
    "sha512-index-of-sha256": lambda: index(two_platforms(), algorithm="sha512"),
    "docker-schema2": lambda: image(kind=DOCKER),
    "docker-list": lambda: index([image(kind=DOCKER)], media_type=DOCKER_LIST),
    "odd-bytes": odd_bytes,
    "without-media-type": without_media_type,
}
