"""The images and blobs that every server holds: the same bytes on each and in every run."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from bench.wire import AnswerError, Connection, Response, location

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"

_IMAGES = 64
_SIZES = {"1k": (1 << 10, 64), "1m": (1 << 20, 16), "64m": (64 << 20, 2)}


@dataclass(frozen=True)
class Blob:
    """Bytes and their digest."""

    data: bytes

    @cached_property
    def digest(self) -> str:
        """Return the sha256 digest as registries write it."""
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"


@dataclass(frozen=True)
class Image:
    """A manifest, the tag it is pushed under and the blobs it names."""

    tag: str
    manifest: Blob
    blobs: tuple[Blob, ...]


@dataclass(frozen=True)
class Content:
    """What is read: images with small blobs, and blobs by size."""

    images: tuple[Image, ...]
    blobs: dict[str, tuple[Blob, ...]]

    def paths(self, kind: str) -> list[str]:
        """Return the paths inside a repository that a read line asks for in turn."""
        if kind == "manifest-tag":
            return [f"manifests/{image.tag}" for image in self.images]
        if kind == "manifest-digest":
            return [f"manifests/{image.manifest.digest}" for image in self.images]
        return [f"blobs/{blob.digest}" for blob in self.blobs[kind.removeprefix("blob-")]]

    def files(self) -> dict[str, bytes]:
        """Return every path inside a repository and the bytes that are served there."""
        found = {f"blobs/{blob.digest}": blob.data for blobs in self.blobs.values() for blob in blobs}
        for image in self.images:
            found[f"manifests/{image.tag}"] = image.manifest.data
            found[f"manifests/{image.manifest.digest}"] = image.manifest.data
        return found


def make() -> Content:
    """Build the content; it is derived from its names, so that every run serves the same bytes."""
    blobs = {
        kind: tuple(
            Blob(hashlib.shake_256(f"{kind}/{number}".encode()).digest(size)) for number in range(count)
        )
        for kind, (size, count) in _SIZES.items()
    }
    small = blobs["1k"]
    images = tuple(
        make_image(f"v{number}", tuple(small[(number + step) % len(small)] for step in range(4)))
        for number in range(_IMAGES)
    )
    return Content(images, blobs)


def make_image(tag: str, blobs: tuple[Blob, ...]) -> Image:
    """Build an image manifest of about 1 KB: the first blob is the config, the others are layers."""
    config, *layers = ({"digest": blob.digest, "size": len(blob.data)} for blob in blobs)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {"mediaType": CONFIG_TYPE, **config},
        "layers": [{"mediaType": LAYER_TYPE, **layer} for layer in layers],
        "annotations": {
            "org.opencontainers.image.created": "2026-01-01T00:00:00Z",
            "org.opencontainers.image.title": f"bench {tag}",
        },
    }
    return Image(tag, Blob(json.dumps(manifest, indent=1).encode()), blobs)


def push(connection: Connection, repository: str, content: Content) -> None:
    """Push everything into one repository."""
    for blobs in content.blobs.values():
        for blob in blobs:
            upload(connection, repository, blob.digest, blob.data)
    for image in content.images:
        push_manifest(connection, repository, image)


def upload(connection: Connection, repository: str, digest: str, *body: bytes | memoryview) -> None:
    """Upload a blob as docker does: POST opens a session, PATCH sends the bytes, PUT closes it."""
    opened = connection.expect(202, "POST", f"/v2/{repository}/blobs/uploads/")
    headers = {"Content-Type": "application/octet-stream"}
    sent = connection.expect(202, "PATCH", location(opened), *body, headers=headers)
    target = location(sent)
    mark = "&" if "?" in target else "?"
    connection.expect(201, "PUT", f"{target}{mark}digest={digest}")


def push_manifest(connection: Connection, repository: str, image: Image) -> Response:
    """Put a manifest under its tag."""
    target = f"/v2/{repository}/manifests/{image.tag}"
    return connection.expect(201, "PUT", target, image.manifest.data, headers={"Content-Type": MANIFEST_TYPE})


def verify(connection: Connection, repository: str, content: Content) -> None:
    """Raise AnswerError unless the server answers every path with the right bytes."""
    for path, data in content.files().items():
        answer = connection.expect(200, "GET", f"/v2/{repository}/{path}", headers={"Accept": MANIFEST_TYPE})
        if answer.body != data:
            raise AnswerError(f"{path}: other bytes than were pushed")
