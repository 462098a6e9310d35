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
