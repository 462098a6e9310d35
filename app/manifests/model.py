"""What the database says of a manifest."""

from msgspec import Struct

from app.blobs.model import Content
from app.oci.digest import Digest
from app.oci.manifest import Manifest
from app.oci.names import RepositoryName, Tag
from app.quotas.model import Growth


class StoredManifest(Struct, frozen=True):
    """A manifest without its bytes."""

    id: int
    digest: Digest
    media_type: str
    size_bytes: int


class Relations(Struct, frozen=True):
    """What a manifest belongs to: indexes that list it, and what it is an accessory of."""

    id: int
    is_tagged: bool
    parents: frozenset[int]
    subjects: frozenset[int]

    def goes_with(self, gone: set[int]) -> bool:
        """Whether nothing keeps it once these are gone: neither an index nor, as a member, a tag."""
        is_member_of_them = bool(self.parents) and not self.is_tagged
        return self.parents <= gone and (is_member_of_them or not self.subjects.isdisjoint(gone))


class NewManifest(Struct, frozen=True):
    """A manifest to store under its tags: its bytes, what they say, and which content it uses."""

    repository: RepositoryName
    digest: Digest
    payload: bytes
    parsed: Manifest
    blobs: list[Content]
    children: list[str]
    tags: tuple[Tag, ...]


class Source(Struct, frozen=True):
    """A manifest that is copied, and the tags that go with it; members lie deeper than their index."""

    id: int
    repository_id: int
    digest: str
    media_type: str
    payload: bytes
    depth: int
    tags: tuple[str, ...]


class Upserted(Struct, frozen=True):
    """A manifest that was stored, what its project uses in addition, and the tags that pointed elsewhere."""

    growth: Growth
    repository_id: int
    moved_tags: list[str]


class LockedManifest(Struct, frozen=True):
    """A manifest that is going to be deleted."""

    id: int
    digest: Digest
    project_id: int


class WantedReferrers(Struct, frozen=True):
    """Which referrers: of one type, after the digest `last`, in about `limit_bytes` of JSON."""

    subject: Digest
    artifact_type: str | None
    last: str
    limit: int
    limit_bytes: int


class Referrer(Struct, frozen=True):
    """A manifest that names another as its subject."""

    digest: str
    media_type: str
    size_bytes: int
    artifact_type: str | None
    annotations: dict[str, str]
    has_more: bool

    def descriptor(self) -> dict[str, object]:
        """Return the entry of the referrers list (spec.md, "Listing Referrers")."""
        entry: dict[str, object] = {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size_bytes,
        }
        if self.artifact_type:
            entry["artifactType"] = self.artifact_type
        if self.annotations:
            entry["annotations"] = self.annotations
        return entry
