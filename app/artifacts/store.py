"""Statements on artifacts: each page is one of them, whatever is shown of it."""

from datetime import datetime
from typing import Final, LiteralString

import msgspec

from app.artifacts.model import Accessory, Artifact, Shown, TagOfArtifact
from app.db import SQL, Column, Listing, Statements
from app.harbor.query import Match
from app.repositories import model as repositories


def _filled(text: LiteralString, **parts: LiteralString) -> LiteralString:
    """Put parts, constants like the text itself, into their places; other braces stay."""
    for name, part in parts.items():
        text = text.replace("{" + name + "}", part)
    return text


_TYPE: Final = r"""
    CASE
        WHEN m.artifact_type = 'application/vnd.goharbor.harbor.sbom.v1' THEN 'SBOM'
        WHEN m.artifact_type = 'application/vnd.cncf.model.manifest.v1+json' THEN 'CNAI'
        WHEN m.config_media_type IN ('application/vnd.oci.image.config.v1+json',
            'application/vnd.docker.container.image.v1+json', 'application/vnd.oci.image.index.v1+json',
            'application/vnd.docker.distribution.manifest.list.v2+json') THEN 'IMAGE'
        WHEN m.config_media_type = 'application/vnd.cncf.helm.config.v1+json' THEN 'CHART'
        WHEN m.config_media_type = 'application/vnd.cnab.manifest.v1' THEN 'CNAB'
        WHEN m.config_media_type = 'application/vnd.wasm.config.v1+json' THEN 'WASM'
        ELSE upper(coalesce(
            substring(m.config_media_type FROM '^application/vnd\.[^.]*\.(.*)\.config\.[^.]*\+json$'),
            substring(m.artifact_type FROM '^application/vnd\.[^.]*\.(.*)\.config\.[^.]*\+json$'),
            'unknown'
        ))
    END
"""

# Accessories of `m`: manifests that name it as their subject, and signatures by cosign's old convention.
_ACCESSORIES: Final = """
    (
        SELECT found.id, bool_or(found.is_signature) AS is_signature FROM (
            SELECT a.id, false AS is_signature FROM manifests a
            WHERE a.repository_id = m.repository_id AND a.subject_digest = m.digest AND a.id <> m.id
            UNION ALL
            SELECT t.manifest_id, true FROM tags t
            WHERE t.repository_id = m.repository_id AND left(m.digest, 7) = 'sha256:'
                AND t.name = 'sha256-' || substr(m.digest, 8) || '.sig' AND t.manifest_id <> m.id
        ) found GROUP BY found.id
    )
"""
_ACCESSORY: Final = """
    a.id, m.id AS subject_id, m.digest AS subject_digest, r.name AS repository_name, a.digest,
    a.artifact_size_bytes AS size_bytes, a.pushed_at,
    CASE
        WHEN acc.is_signature OR a.artifact_type IN ('application/vnd.dev.cosign.artifact.sig.v1+json',
            'application/vnd.dev.sigstore.bundle.v0.3+json') THEN 'signature.cosign'
        WHEN a.artifact_type = 'application/vnd.cncf.notary.signature' THEN 'signature.notation'
        WHEN a.artifact_type = 'application/vnd.goharbor.harbor.sbom.v1' THEN 'sbom.harbor'
        ELSE 'subject.accessory'
    END AS type
"""

_COLUMNS: Final = _filled(
    """
    m.id, {type} AS type, m.config_media_type, m.media_type, m.artifact_type, r.project_id,
    m.repository_id, r.name AS repository_name, m.digest, m.artifact_size_bytes AS size_bytes, m.icon,
    m.pushed_at, m.pulled_at, m.extra_attrs,
    CASE WHEN m.size_bytes <= {most_bytes} THEN m.annotations END AS annotations,
    CASE WHEN %(with_tags)s THEN (
        SELECT json_agg(json_build_object('id', t.id, 'repository_id', t.repository_id, 'manifest_id', m.id,
            'name', t.name, 'pushed_at', t.pushed_at, 'pulled_at', t.pulled_at)
            ORDER BY t.pushed_at DESC, t.name)
        FROM tags t WHERE t.manifest_id = m.id
    ) END AS tags,
    CASE WHEN %(with_labels)s THEN (
        SELECT json_agg(l ORDER BY l.name, l.id)
        FROM manifest_labels ml JOIN labels l ON l.id = ml.label_id WHERE ml.manifest_id = m.id
    ) END AS labels,
    CASE WHEN %(with_accessories)s THEN (
        SELECT json_agg(shown ORDER BY shown.pushed_at, shown.id) FROM (
            SELECT {accessory} FROM {accessories} acc JOIN manifests a ON a.id = acc.id
        ) shown
    ) END AS accessories,
    CASE WHEN m.media_type IN ('application/vnd.oci.image.index.v1+json',
        'application/vnd.docker.distribution.manifest.list.v2+json') AND m.size_bytes <= {most_bytes} THEN (
        SELECT json_object_agg(c.child_digest, child.id)
        FROM manifest_children c
        LEFT JOIN manifests child ON child.repository_id = m.repository_id AND child.digest = c.child_digest
        WHERE c.manifest_id = m.id
    ) END AS children,
    CASE WHEN m.media_type IN ('application/vnd.oci.image.index.v1+json',
        'application/vnd.docker.distribution.manifest.list.v2+json') AND m.size_bytes <= {most_bytes}
        THEN m.payload END AS payload
    """,
    type=_TYPE,
    accessory=_ACCESSORY,
    accessories=_ACCESSORIES,
)


_MOST_BYTES_IN_LIST: Final = "65536"
"""A list leaves out what a larger manifest says of itself: a page would be as large as all of them."""


def _artifact(*, payload: memoryview | None, **columns: object) -> Artifact:
    content = None if payload is None else bytes(payload)
    return msgspec.convert({**columns, "payload": content}, Artifact)


FIND_ARTIFACT = SQL(
    _filled(
        """
        SELECT {columns} FROM manifests m JOIN repositories r ON r.id = m.repository_id
        WHERE m.id = %(manifest_id)s
        """,
        columns=_filled(_COLUMNS, most_bytes="m.size_bytes"),
    )
)


async def find_artifact(statements: Statements, manifest_id: int, *, shown: Shown) -> Artifact | None:
    """Return an artifact, with those parts that are asked for."""
    return await statements.maybe(_artifact, FIND_ARTIFACT, manifest_id=manifest_id, **parts_of(shown))


def parts_of(shown: Shown) -> dict[str, object]:
    """Return the parameters that every statement on artifacts takes."""
    return {
        "with_tags": shown.tags,
        "with_labels": shown.labels,
        "with_accessories": shown.accessories,
    }


_FILTERS: Final = {
    "id": Column("m.id", int),
    "type": Column(_TYPE),
    "media_type": Column("m.config_media_type"),
    "manifest_media_type": Column("m.media_type"),
    "artifact_type": Column("m.artifact_type"),
    "digest": Column("m.digest"),
    "size": Column("m.artifact_size_bytes", int),
    "push_time": Column("m.pushed_at", datetime),
    "pull_time": Column("m.pulled_at", datetime),
    "repository_name": Column("r.name"),
    "repository_id": Column("m.repository_id", int),
    "tags": Column(
        "m.id::text",
        by_match={
            Match.EXACT: """
                EXISTS (
                    SELECT FROM tags t
                    WHERE t.repository_id = m.repository_id AND t.manifest_id = m.id AND t.name = {value}
                )
            """,
            Match.FUZZY: "EXISTS (SELECT FROM tags t WHERE t.manifest_id = m.id AND t.name ILIKE {value})",
        },
    ),
    "is_tagged": Column("EXISTS (SELECT FROM tags t WHERE t.manifest_id = m.id)", bool),
    "labels": Column(
        "m.id",
        int,
        by_match={
            Match.ALL_OF: """
                {value} <@ ARRAY(SELECT l.label_id FROM manifest_labels l WHERE l.manifest_id = m.id)
            """,
        },
    ),
    "latest": Column(
        "m.id::text",
        by_match={
            Match.EXACT: """
                m.id = (
                    SELECT l.id FROM manifests l
                    WHERE l.repository_id = m.repository_id AND l.config_media_type = m.config_media_type
                    ORDER BY l.pushed_at DESC, l.id DESC LIMIT 1
                )
            """
        },
    ),
}

_ROWS: Final = _filled(
    """
    WITH page AS (
        SELECT m.id FROM manifests m JOIN repositories r ON r.id = m.repository_id
        WHERE {place} AND {is_no_accessory} AND (%(with_members)s OR {is_no_member})
            AND {conditions}
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT {columns} FROM page
    JOIN manifests m ON m.id = page.id
    JOIN repositories r ON r.id = m.repository_id
    ORDER BY {order}
    """,
    columns=_filled(_COLUMNS, most_bytes=_MOST_BYTES_IN_LIST),
    is_no_accessory=repositories.IS_NO_ACCESSORY,
    is_no_member=repositories.IS_NO_MEMBER,
)
_COUNT: Final = _filled(
    """
    WITH other AS MATERIALIZED (
        {accessories} UNION SELECT member.id FROM ({members}) member WHERE NOT %(with_members)s
    )
    SELECT (
        SELECT count(*) FROM manifests m JOIN repositories r ON r.id = m.repository_id
        WHERE m.repository_id {of} AND {conditions}
    ) - (
        SELECT count(*) FROM other
        JOIN manifests m ON m.id = other.id JOIN repositories r ON r.id = m.repository_id
        WHERE {conditions}
    )
    """,
    accessories=repositories.ACCESSORIES,
    members=repositories.MEMBERS,
)
_IN_REPOSITORY: Final = "= %(repository_id)s"
_IN_PROJECT: Final = "IN (SELECT id FROM repositories WHERE project_id = %(project_id)s)"

OF_REPOSITORY = Listing(
    _artifact,
    rows=_filled(_ROWS, place="m.repository_id = %(repository_id)s"),
    count=_filled(_COUNT, of=_IN_REPOSITORY),
    columns=_FILTERS,
    order="m.pushed_at DESC, m.id DESC",
)
OF_PROJECT = Listing(
    _artifact,
    rows=_filled(_ROWS, place="m.project_id = %(project_id)s"),
    count=_filled(_COUNT, of=_IN_PROJECT),
    columns=_FILTERS,
    order="m.pushed_at DESC, m.id DESC",
)

ACCESSORIES = Listing(
    Accessory,
    rows=_filled(
        """
        SELECT {accessory} FROM manifests m
        JOIN repositories r ON r.id = m.repository_id
        CROSS JOIN LATERAL {accessories} acc
        JOIN manifests a ON a.id = acc.id
        WHERE m.id = %(manifest_id)s AND {conditions}
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
        """,
        accessory=_ACCESSORY,
        accessories=_ACCESSORIES,
    ),
    count=_filled(
        """
        SELECT count(*) FROM manifests m
        CROSS JOIN LATERAL {accessories} acc
        JOIN manifests a ON a.id = acc.id
        WHERE m.id = %(manifest_id)s AND {conditions}
        """,
        accessories=_ACCESSORIES,
    ),
    columns={
        "id": Column("a.id", int),
        "digest": Column("a.digest"),
        "size": Column("a.artifact_size_bytes", int),
        "creation_time": Column("a.pushed_at", datetime),
    },
    order="a.id",
)

TAGS = Listing(
    TagOfArtifact,
    rows="""
        SELECT t.id, t.repository_id, t.manifest_id, t.name, t.pushed_at, t.pulled_at FROM tags t
        WHERE t.manifest_id = %(manifest_id)s AND {conditions}
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    """,
    count="SELECT count(*) FROM tags t WHERE t.manifest_id = %(manifest_id)s AND {conditions}",
    columns={
        "id": Column("t.id", int),
        "name": Column("t.name"),
        "push_time": Column("t.pushed_at", datetime),
        "pull_time": Column("t.pulled_at", datetime),
    },
    order="t.pushed_at DESC, t.name",
)
