"""Images, indexes and artifacts made on the spot: small, of random bytes, never from a network."""

import gzip
import hashlib
import io
import json
import os
import platform
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
OTHER_ARCHITECTURE = "s390x"

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


@dataclass(frozen=True, eq=False)
class Content:
    """A manifest with everything below it: config and layers, and the manifests that an index names."""

    manifest: bytes
    media_type: str
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    children: tuple["Content", ...] = ()
    tree: Mapping[str, bytes] = field(default_factory=dict)
    """The files that this machine sees when it unpacks the image."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Content) and self._bytes() == other._bytes()

    def __hash__(self) -> int:
        return hash(self.manifest)

    def __repr__(self) -> str:  # an assertion that fails must not print megabytes
        sizes = {digest[:15]: len(blob) for digest, blob in self.blobs.items()}
        return f"Content({self.media_type}, {self.digest[:15]}, blobs={sizes}, children={self.children})"

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)

    @property
    def config(self) -> bytes:
        return self.blobs[self.parsed["config"]["digest"]]

    @property
    def parsed(self) -> Any:
        return json.loads(self.manifest)

    def descriptor(self) -> dict[str, Any]:
        return descriptor(self.media_type, self.manifest)

    @property
    def native(self) -> "Content":
        """The image for this machine."""
        return self.children[0] if self.children else self

    def layers(self) -> list[bytes]:
        return [self.blobs[layer["digest"]] for layer in self.parsed["layers"]]

    def manifests(self) -> Iterator["Content"]:
        """Every manifest, children before the index that names them."""
        for child in self.children:
            yield from child.manifests()
        yield self

    def files(self) -> dict[str, bytes]:
        """Every blob and manifest by digest."""
        found: dict[str, bytes] = {}
        for each in self.manifests():
            found |= each.blobs
            found[each.digest] = each.manifest
        return found

    def _bytes(self) -> tuple[object, ...]:
        return self.manifest, self.media_type, dict(self.blobs), self.children


def tar_of(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def zstd_frame(content: bytes) -> bytes:
    """Makes a Zstandard frame of raw blocks (RFC 8878): what any encoder makes of random bytes."""
    limit = 128 << 10
    pieces = [content[start : start + limit] for start in range(0, len(content), limit)]
    magic, window_and_size = b"\x28\xb5\x2f\xfd", b"\x80\x38"  # a window of 128 KiB, the size in four bytes
    frame = [magic, window_and_size, len(content).to_bytes(4, "little")]
    for number, piece in enumerate(pieces, start=1):
        header = len(piece) << 3 | (number == len(pieces))
        frame += [header.to_bytes(3, "little"), piece]
    return b"".join(frame)


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda content: content,
    "gzip": lambda content: gzip.compress(content, compresslevel=1, mtime=0),
    "zstd": zstd_frame,
}


def image(
    *, docker: bool = False, compression: str = "gzip", architecture: str = ARCHITECTURE, size: int = 1 << 20
) -> Content:
    """Makes an image of two layers: a file with words that no other image has, and `size` random bytes."""
    tree = {"etc/message.txt": f"hello {os.urandom(8).hex()}\n".encode(), "random.bin": os.urandom(size)}
    tars = [tar_of({name: file}) for name, file in tree.items()]
    layers = [COMPRESSIONS[compression](tar) for tar in tars]
    separator = "." if docker else "+"
    layer_type = (DOCKER_LAYER if docker else OCI_LAYER) + (separator + compression if compression else "")
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Cmd": ["/nothing"]},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(tar) for tar in tars]},
            "history": [{"created_by": "test"} for _ in tars],
        }
    ).encode()
    media_type = DOCKER_MANIFEST if docker else OCI_MANIFEST
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": descriptor(DOCKER_CONFIG if docker else OCI_CONFIG, config),
        "layers": [descriptor(layer_type, layer) for layer in layers],
    }
    blobs = {digest_of(blob): blob for blob in (config, *layers)}
    return Content(json.dumps(manifest, indent=1).encode(), media_type, blobs, tree=tree)


def index(*, docker: bool = False, compression: str = "gzip") -> Content:
    """Makes an image for this machine's architecture and for another one."""
    children = tuple(
        image(docker=docker, compression=compression, architecture=architecture, size=100_000)
        for architecture in (ARCHITECTURE, OTHER_ARCHITECTURE)
    )
    platforms = [{"architecture": name, "os": "linux"} for name in (ARCHITECTURE, OTHER_ARCHITECTURE)]
    media_type = DOCKER_LIST if docker else OCI_INDEX
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [
            child.descriptor() | {"platform": each} for child, each in zip(children, platforms, strict=True)
        ],
    }
    return Content(
        json.dumps(manifest, indent=1).encode(), media_type, children=children, tree=children[0].tree
    )


KINDS: Mapping[str, Callable[[], Content]] = {
    "oci gzip": image,
    "oci zstd": lambda: image(compression="zstd"),
    "docker gzip": lambda: image(docker=True),
    "oci index": index,
    "docker list": lambda: index(docker=True),
}
"""What every client is tried with."""


def artifact(artifact_type: str, files: Sequence[bytes], *, subject: Content | None = None) -> Content:
    """Makes an artifact with an empty config; with a subject it refers to that."""
    empty = b"{}"
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": descriptor(OCI_EMPTY, empty),
        "layers": [descriptor("application/octet-stream", blob) for blob in files],
    }
    if subject is not None:
        manifest["subject"] = subject.descriptor()
    blobs = {digest_of(blob): blob for blob in (empty, *files)}
    return Content(json.dumps(manifest).encode(), OCI_MANIFEST, blobs)


def read_tree(directory: Path) -> dict[str, bytes]:
    """Reads the files below a directory, as `Content.tree` has them."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def write_tree(tree: Mapping[str, bytes], directory: Path) -> Path:
    for name, file in tree.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(file)
    return directory


def write_directory(content: Content, directory: Path) -> Path:
    """Writes the `dir:` form of skopeo, podman and buildah, which keeps every byte of every format."""
    directory.mkdir()
    (directory / "version").write_text("Directory Transport Version: 1.1\n")
    (directory / "manifest.json").write_bytes(content.manifest)
    for each in content.manifests():
        for digest, blob in each.blobs.items():
            (directory / digest.removeprefix("sha256:")).write_bytes(blob)
    for child in content.children:
        name = f"{child.digest.removeprefix('sha256:')}.manifest.json"
        (directory / name).write_bytes(child.manifest)
    return directory


def read_directory(directory: Path, manifest: str = "manifest.json") -> Content:
    """Reads what `write_directory` writes, each blob under the digest of its bytes."""
    raw = (directory / manifest).read_bytes()
    parsed = json.loads(raw)
    named = [*parsed.get("layers", ()), *filter(None, [parsed.get("config")])]
    blobs = [(directory / each["digest"].removeprefix("sha256:")).read_bytes() for each in named]
    children = [
        read_directory(directory, f"{each['digest'].removeprefix('sha256:')}.manifest.json")
        for each in parsed.get("manifests", ())
    ]
    return Content(raw, parsed["mediaType"], {digest_of(blob): blob for blob in blobs}, tuple(children))


def write_layout_archive(content: Content, path: Path, name: str) -> Path:
    """Writes a tar of an OCI image layout, as `ctr images import` takes it."""
    entry = content.descriptor() | {"annotations": {"org.opencontainers.image.ref.name": name}}
    files = {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode(),
    }
    files |= {f"blobs/{key.replace(':', '/')}": value for key, value in content.files().items()}
    path.write_bytes(tar_of(files))
    return path
