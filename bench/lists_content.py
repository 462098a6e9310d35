"""A database as large as a big team's, made inside PostgreSQL: what the management API lists."""

from contextlib import closing
from dataclasses import dataclass
from typing import Final

import psycopg2

PROJECTS: Final = 1_000
REPOSITORIES: Final = 20_000
ARTIFACTS: Final = 1_000_000
TAGS: Final = 3_000_000
LARGE_REPOSITORY: Final = "bench-1/large"


@dataclass(frozen=True)
class Size:
    """How much to make; a repository has `artifacts` with about three tags each.

    Of 50 artifacts 2 are indexes with 2 untagged members each, and 4 are accessories.
    """

    projects: int = PROJECTS
    repositories: int = REPOSITORIES
    artifacts: int = ARTIFACTS // REPOSITORIES
    large: int = 0


_STATEMENTS: Final = (
    # Foreign keys and triggers would only confirm what is generated.
    "SET session_replication_role = replica",
    "SELECT setseed(0.5)",
    """
    INSERT INTO projects (name, is_public, created_at)
    SELECT 'bench-' || n, n %% 10 = 0, now() - random() * interval '1 year'
    FROM generate_series(1, %(projects)s) n
    """,
    """
    INSERT INTO quotas (project_id, hard_bytes, used_bytes)
    SELECT id, -1, (random() * 1e12)::bigint FROM projects ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO repositories (project_id, name, pull_count, created_at)
    SELECT p.id, p.name || '/repository-' || n, (random() * 1e5)::bigint, now() - random() * interval '1 year'
    FROM generate_series(1, %(repositories)s) n JOIN projects p ON p.name = 'bench-' || 1 + n %% %(projects)s
    """,
    """
    INSERT INTO repositories (project_id, name)
    SELECT id, name || '/large' FROM projects WHERE name = 'bench-1' AND %(large)s > 0
    """,
    """
    CREATE TEMPORARY TABLE made AS
    SELECT r.id AS repository_id, r.project_id, n AS place, c.count,
        'sha256:' || encode(sha256(convert_to('manifest ' || r.id || ' ' || n, 'UTF8')), 'hex') AS digest,
        CASE WHEN n < c.count / 25 THEN 'index' WHEN n < c.count * 3 / 25 THEN 'member'
            WHEN n < c.count / 5 THEN 'accessory' ELSE 'image' END AS kind
    FROM repositories r
    CROSS JOIN LATERAL (
        SELECT CASE WHEN r.name LIKE '%%/large' THEN %(large)s ELSE %(artifacts)s END AS count
    ) c
    CROSS JOIN LATERAL generate_series(0, c.count - 1) n
    """,
    "CREATE INDEX ON made (repository_id, place)",
    "ANALYZE made",
    """
    INSERT INTO manifests (project_id, repository_id, digest, media_type, artifact_type, subject_digest,
        size_bytes, payload, pushed_at, pulled_at, config_media_type, artifact_size_bytes, extra_attrs)
    SELECT m.project_id, m.repository_id, m.digest,
        CASE m.kind WHEN 'index' THEN 'application/vnd.oci.image.index.v1+json'
            ELSE 'application/vnd.oci.image.manifest.v1+json' END,
        CASE m.kind WHEN 'accessory' THEN 'application/vnd.dev.cosign.artifact.sig.v1+json'
            WHEN 'index' THEN NULL ELSE 'application/vnd.oci.image.config.v1+json' END,
        CASE m.kind WHEN 'accessory' THEN (
            SELECT s.digest FROM made s
            WHERE s.repository_id = m.repository_id AND s.place = m.place + m.count / 5
        ) END,
        1000,
        CASE m.kind WHEN 'index' THEN (
            SELECT convert_to(json_build_object('schemaVersion', 2, 'manifests', json_agg(json_build_object(
                'digest', c.digest, 'size', 1000, 'mediaType', 'application/vnd.oci.image.manifest.v1+json',
                'platform', json_build_object('os', 'linux', 'architecture', 'amd64'))))::text, 'UTF8')
            FROM made c WHERE c.repository_id = m.repository_id
                AND c.place BETWEEN m.place * 2 + m.count / 25 AND m.place * 2 + m.count / 25 + 1
        ) ELSE convert_to(repeat(m.digest, 12), 'UTF8') END,
        now() - random() * interval '1 year',
        CASE WHEN random() < 0.7 THEN now() - random() * interval '30 days' END,
        CASE m.kind WHEN 'index' THEN 'application/vnd.oci.image.index.v1+json'
            ELSE 'application/vnd.oci.image.config.v1+json' END,
        (random() * 1e9)::bigint,
        CASE WHEN m.kind <> 'index' THEN json_build_object('architecture', 'amd64', 'os', 'linux',
            'author', '', 'created', '2026-01-01T00:00:00Z', 'config', json_build_object(
            'Env', ARRAY['PATH=/usr/bin:/bin'], 'Cmd', ARRAY['/bin/app'],
            'Labels', json_build_object('maintainer', 'somebody'))) END
    FROM made m
    """,
    """
    INSERT INTO project_blobs (project_id, digest, size_bytes)
    SELECT project_id, digest, 1000 FROM made
    """,
    """
    INSERT INTO manifest_children (manifest_id, child_digest)
    SELECT parent.id, child.digest
    FROM made m
    JOIN manifests parent ON parent.repository_id = m.repository_id AND parent.digest = m.digest
    JOIN made child ON child.repository_id = m.repository_id
        AND child.place BETWEEN m.place * 2 + m.count / 25 AND m.place * 2 + m.count / 25 + 1
    WHERE m.kind = 'index'
    """,
    """
    INSERT INTO tags (repository_id, name, manifest_id, pushed_at, pulled_at)
    SELECT m.repository_id, 'v' || made.place || '.' || n, m.id, m.pushed_at, m.pulled_at
    FROM made
    JOIN manifests m ON m.repository_id = made.repository_id AND m.digest = made.digest
    CROSS JOIN generate_series(1, 4) n
    WHERE made.kind IN ('index', 'image') AND (n < 4 OR made.place %% 2 = 0 OR made.place %% 16 = 1)
    """,
    """
    INSERT INTO labels (name, color) SELECT 'bench-label-' || n, '#ff0000' FROM generate_series(1, 20) n
    """,
    """
    INSERT INTO manifest_labels (manifest_id, label_id)
    SELECT m.id, l.id FROM manifests m
    JOIN labels l ON l.name = 'bench-label-' || 1 + m.id %% 20 WHERE m.id %% 4 = 0
    """,
    "DROP TABLE made",
    "SET session_replication_role = DEFAULT",
)


def fill(url: str, size: Size) -> dict[str, int]:
    """Fill a migrated, empty database, as its superuser; return how many rows there are of what."""
    parameters = {name: getattr(size, name) for name in size.__dataclass_fields__}
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SET work_mem = '256MB'; SET maintenance_work_mem = '512MB'")
        for statement in _STATEMENTS:
            cursor.execute(statement, parameters)
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")
        cursor.execute(
            """
            SELECT relname, reltuples::bigint FROM pg_class
            WHERE relname IN ('projects', 'repositories', 'manifests', 'tags') AND relkind = 'r'
            """
        )
        return dict(cursor.fetchall())
