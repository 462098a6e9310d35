"""What a repository is to the management API, and which of its manifests count."""

from datetime import datetime
from typing import Final

from msgspec import Struct


class Repository(Struct, frozen=True):
    """A repository and what is in it, accessories and untagged members of an index not counted."""

    id: int
    project_id: int
    name: str
    description: str
    pull_count: int
    artifact_count: int
    created_at: datetime
    updated_at: datetime


# What counts as an artifact of its own, twice: about one manifest `m`, for a page in the order of an index,
# and as the set of all others, for counts. OFFSET 0 keeps the planner from turning the first into the second.
IS_NO_ACCESSORY: Final = r"""
    (m.subject_digest IS NULL OR NOT EXISTS (
        SELECT FROM manifests s
        WHERE s.repository_id = m.repository_id AND s.digest = m.subject_digest AND s.id <> m.id
    ))
    AND NOT EXISTS (
        SELECT FROM tags t
        JOIN manifests s
            ON s.repository_id = t.repository_id AND s.digest = 'sha256:' || substr(t.name, 8, 64)
        WHERE t.manifest_id = m.id AND t.name ~ '^sha256-[0-9a-f]{64}\.sig$' AND s.id <> m.id
        OFFSET 0
    )
"""
"""Whether a manifest `m` belongs to no other of its repository, by its subject or by cosign's tag."""

IS_NO_MEMBER: Final = """
    (EXISTS (SELECT FROM tags t WHERE t.manifest_id = m.id) OR NOT EXISTS (
        SELECT FROM manifest_children c JOIN manifests parent ON parent.id = c.manifest_id
        WHERE c.child_digest = m.digest AND parent.repository_id = m.repository_id AND parent.id <> m.id
    ))
"""
"""Whether a manifest `m` has a tag, or no index of its repository lists it."""

ACCESSORIES: Final = r"""
    SELECT a.id FROM manifests a
    JOIN manifests s ON s.repository_id = a.repository_id AND s.digest = a.subject_digest AND s.id <> a.id
    WHERE a.repository_id {of} AND a.subject_digest IS NOT NULL
    UNION
    SELECT t.manifest_id FROM tags t
    JOIN manifests s ON s.repository_id = t.repository_id AND s.digest = 'sha256:' || substr(t.name, 8, 64)
    WHERE t.repository_id {of} AND t.name >= 'sha256-' AND t.name < 'sha256.'
        AND t.name ~ '^sha256-[0-9a-f]{64}\.sig$' AND s.id <> t.manifest_id
"""
MEMBERS: Final = """
    SELECT child.id FROM manifests parent
    JOIN manifest_children c ON c.manifest_id = parent.id
    JOIN manifests child ON child.repository_id = parent.repository_id AND child.digest = c.child_digest
    WHERE parent.repository_id {of} AND child.id <> parent.id
        AND parent.media_type IN ('application/vnd.oci.image.index.v1+json',
            'application/vnd.docker.distribution.manifest.list.v2+json')
        AND NOT EXISTS (SELECT FROM tags t WHERE t.manifest_id = child.id OFFSET 0)
"""
"""The manifests that are no artifacts of their own, of the repositories that `{of}` says."""
