"""What the management API knows of a manifest."""

from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from app.labels.model import Label
from app.oci.media_types import INDEXES

IMAGE: Final = "IMAGE"
CHART: Final = "CHART"

ADDITIONS: Final = {
    IMAGE: ("build_history",),
    CHART: ("values.yaml", "readme.md", "dependencies", "files"),
}
"""What can be asked about an artifact of a type."""


def additions_of(artifact: "Artifact") -> tuple[str, ...]:
    """Return the names of what can be asked about an artifact; nothing about an index."""
    return () if artifact.media_type in INDEXES else ADDITIONS.get(artifact.type, ())


class TagOfArtifact(Struct, frozen=True):
    """A tag that points to an artifact."""

    id: int
    repository_id: int
    manifest_id: int
    name: str
    pushed_at: datetime
    pulled_at: datetime | None
    is_immutable: bool = False


class Accessory(Struct, frozen=True):
    """A signature, SBOM or other manifest that belongs to an artifact of the same repository."""

    id: int
    subject_id: int
    subject_digest: str
    repository_name: str
    digest: str
    size_bytes: int
    type: str
    pushed_at: datetime


class Shown(Struct, frozen=True):
    """What a list of artifacts shows beside the artifacts themselves."""

    tags: bool = True
    labels: bool = False
    accessories: bool = True
    immutable: bool = False


class Artifact(Struct, frozen=True, kw_only=True):
    """A manifest as the management API shows it; None stands for what was not asked for, or is too large.

    `children` are the ids of the manifests that an index lists, by digest; `payload` is there for an index.
    """

    id: int
    type: str
    config_media_type: str
    media_type: str
    artifact_type: str | None
    project_id: int
    repository_id: int
    repository_name: str
    digest: str
    size_bytes: int
    icon: str
    pushed_at: datetime
    pulled_at: datetime | None
    extra_attrs: dict[str, Any] | None
    annotations: dict[str, str] | None
    tags: tuple[TagOfArtifact, ...] | None
    labels: tuple[Label, ...] | None
    accessories: tuple[Accessory, ...] | None
    children: dict[str, int | None] | None
    payload: bytes | None
