"""Artifacts as JSON (Harbor's Artifact, Tag, Reference, Accessory)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Self
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from app.artifacts import model
from app.labels.schemas import Label
from app.oci.names import RepositoryName

NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)
"""What Harbor's clients take for a pull that has not happened."""

_ICONS: Final = {
    "IMAGE": "sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06",
    "CHART": "sha256:61cf3a178ff0f75bf08a25d96b75cf7355dc197749a9f128ed3ef34b0df05518",
    "CNAB": "sha256:089bdda265c14d8686111402c8ad629e8177a1ceb7dcd0f7f39b6480f623b3bd",
    "WASM": "sha256:badd7693bcaf115be202748241dd0ea6ee3b0524bfab9ac22d1e1c43721afec6",
    "CNAI": "sha256:1e1e5c5fdaf0931ec8655e835d1182f723a0c322a6760211622e1270f0193717",
    "SBOM": "sha256:c19f80c357cd7e90d2a01b9ae3e2eb62ce447a2662bb590a19177d72d550bdae",
    "signature.cosign": "sha256:20401d5b3a0f6dbc607c8d732eb08471af4ae6b19811a4efce8c6a724aed2882",
    "signature.notation": "sha256:3ac706e102bbe9362b400aa162df58135d35e66b9c3bee2165de92022d25fe34",
    "sbom.harbor": "sha256:c19f80c357cd7e90d2a01b9ae3e2eb62ce447a2662bb590a19177d72d550bdae",
}
_OTHER_ICON: Final = "sha256:da834479c923584f4cbcdecc0dac61f32bef1d51e8aae598cf16bd154efab49f"
"""Names by which Harbor's clients know the pictures."""


class Platform(Struct, frozen=True, omit_defaults=True):
    """What a member of an index runs on (image-spec, image-index.md)."""

    architecture: str = ""
    os: str = ""
    os_version: str = field(default="", name="os.version")
    os_features: list[str] = field(default_factory=list, name="os.features")
    variant: str = ""


class Reference(Struct, frozen=True):
    """A member of an index; `child_id` is 0 where it is not in the repository."""

    parent_id: int
    child_id: int
    child_digest: str
    platform: Platform | None = None
    annotations: dict[str, str] | None = None
    urls: list[str] | None = None


class _Entry(Struct, frozen=True):
    digest: str
    platform: Platform | None = None
    annotations: dict[str, str] | None = None
    urls: list[str] | None = None


class _Index(Struct, frozen=True):
    manifests: list[_Entry] = []


class Tag(Struct, frozen=True):
    """A tag of an artifact."""

    id: int
    repository_id: int
    artifact_id: int
    name: str
    push_time: datetime
    pull_time: datetime
    immutable: bool

    @classmethod
    def of(cls, tag: model.TagOfArtifact) -> Self:
        """Return a tag as clients see it."""
        return cls(
            id=tag.id,
            repository_id=tag.repository_id,
            artifact_id=tag.manifest_id,
            name=tag.name,
            push_time=tag.pushed_at,
            pull_time=tag.pulled_at or NEVER,
            immutable=tag.is_immutable,
        )


class NewTag(Struct, frozen=True):
    """The name of a tag to add; what else clients send of a tag is not taken."""

    name: Annotated[str, Meta(min_length=1, max_length=128)]


class Accessory(Struct, frozen=True):
    """What belongs to an artifact: a signature, an SBOM ..."""

    id: int
    artifact_id: int
    subject_artifact_id: int
    subject_artifact_digest: str
    subject_artifact_repo: str
    size: int
    digest: str
    type: str
    icon: str
    creation_time: datetime

    @classmethod
    def of(cls, accessory: model.Accessory) -> Self:
        """Return an accessory as clients see it."""
        return cls(
            id=accessory.id,
            artifact_id=accessory.id,
            subject_artifact_id=accessory.subject_id,
            subject_artifact_digest=accessory.subject_digest,
            subject_artifact_repo=accessory.repository_name,
            size=accessory.size_bytes,
            digest=accessory.digest,
            type=accessory.type,
            icon=_ICONS.get(accessory.type, ""),
            creation_time=accessory.pushed_at,
        )


class LabelToAdd(Struct, frozen=True):
    """The id of a label; what else clients send of a label is not taken."""

    id: Annotated[int, Meta(ge=1, le=2**63 - 1)]


class AdditionLink(Struct, frozen=True):
    """Where more about an artifact can be read."""

    href: str
    absolute: bool = False


class Artifact(Struct, frozen=True, kw_only=True):
    """A manifest with what it is called and what belongs to it; null where there is nothing."""

    id: int
    type: str
    media_type: str
    manifest_media_type: str
    artifact_type: str
    project_id: int
    repository_id: int
    repository_name: str
    digest: str
    size: int
    icon: str
    push_time: datetime
    pull_time: datetime
    extra_attrs: dict[str, Any] | UnsetType = UNSET
    annotations: dict[str, str] | UnsetType = UNSET
    references: list[Reference] | None = None
    tags: list[Tag] | None = None
    addition_links: dict[str, AdditionLink]
    labels: list[Label] | None = None
    accessories: list[Accessory] | None = None

    @classmethod
    def of(cls, artifact: model.Artifact) -> Self:
        """Return an artifact as clients see it."""
        return cls(
            id=artifact.id,
            type=artifact.type,
            media_type=artifact.config_media_type,
            manifest_media_type=artifact.media_type,
            artifact_type=artifact.artifact_type or "",
            project_id=artifact.project_id,
            repository_id=artifact.repository_id,
            repository_name=artifact.repository_name,
            digest=artifact.digest,
            size=artifact.size_bytes,
            icon=artifact.icon or _ICONS.get(artifact.type, _OTHER_ICON),
            push_time=artifact.pushed_at,
            pull_time=artifact.pulled_at or NEVER,
            extra_attrs=artifact.extra_attrs or UNSET,
            annotations=_sendable(artifact.annotations or {}) or UNSET,
            references=list(_references(artifact)) or None,
            tags=[Tag.of(tag) for tag in artifact.tags or ()] or None,
            addition_links=_links(artifact),
            labels=[Label.of(label) for label in artifact.labels or ()] or None,
            accessories=[Accessory.of(accessory) for accessory in artifact.accessories or ()] or None,
        )


def _sendable(annotations: dict[str, str]) -> dict[str, str]:
    """Replace halves of surrogate pairs, which JSON can say and UTF-8 cannot."""
    return {_text(key): _text(value) for key, value in annotations.items()}


def _text(text: str) -> str:
    return text.encode(errors="replace").decode()


def _references(artifact: model.Artifact) -> Iterator[Reference]:
    """Yield the members of an index in its own order, or by digest where the index is odd."""
    children = artifact.children or {}
    for entry in _entries(artifact.payload) or map(_Entry, sorted(children)):
        yield Reference(
            parent_id=artifact.id,
            child_id=children.get(entry.digest) or 0,
            child_digest=entry.digest,
            platform=entry.platform,
            annotations=entry.annotations,
            urls=entry.urls,
        )


def _entries(payload: bytes | None) -> list[_Entry]:
    try:
        return msgspec.json.decode(payload, type=_Index).manifests if payload else []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def _links(artifact: model.Artifact) -> dict[str, AdditionLink]:
    project, _, path = RepositoryName(artifact.repository_name).partition("/")
    base = f"/api/v2.0/projects/{project}/repositories/{quote(quote(path, safe=''), safe='')}"
    return {
        name: AdditionLink(f"{base}/artifacts/{artifact.digest}/additions/{name}")
        for name in model.additions_of(artifact)
    }
