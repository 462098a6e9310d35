"""A database with content from before a migration has it all afterwards, and counts it rightly."""

import hashlib
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - psycopg2 names its class in lower case

from app.db.migrate import migrate, migrations

CONTENT = """
    INSERT INTO users (username, password_hash) VALUES ('alice', 'x');
    INSERT INTO projects (name) VALUES ('team'), ('empty');
    INSERT INTO project_members (project_id, user_id, role) VALUES (1, 1, 'developer');
    INSERT INTO repositories (project_id, name) VALUES (1, 'team/app'), (1, 'team/other');
    INSERT INTO blobs (digest, size_bytes)
    VALUES ('sha256:config', 10), ('sha256:layer', 1000), ('sha256:loose', 7);
    INSERT INTO blob_links (repository_id, digest)
    VALUES (1, 'sha256:config'), (1, 'sha256:layer'), (2, 'sha256:layer'), (1, 'sha256:loose');
    INSERT INTO manifests (repository_id, digest, media_type, size_bytes, payload)
    VALUES (1, 'sha256:one', 'm', 100, 'a'), (2, 'sha256:two', 'm', 200, 'b');
    INSERT INTO manifest_blobs (manifest_id, repository_id, digest)
    VALUES (1, 1, 'sha256:config'), (1, 1, 'sha256:layer'), (2, 2, 'sha256:layer');
    INSERT INTO tags (repository_id, name, manifest_id) VALUES (1, 'latest', 1);
"""


@pytest.fixture
def cursor(empty_database_url: str) -> Iterator[Cursor]:
    with closing(psycopg2.connect(empty_database_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as opened:
            yield opened


def test_what_was_pushed_before_quotas_is_counted_once_per_project(
    cursor: Cursor, empty_database_url: str
) -> None:
    first, text = next(migrations())
    cursor.execute(
        "CREATE TABLE schema_migrations (name text PRIMARY KEY, checksum text, applied_at timestamptz)"
    )
    cursor.execute(text)
    checksum = hashlib.sha256(text.encode()).hexdigest()
    cursor.execute("INSERT INTO schema_migrations VALUES (%s, %s, now())", (first, checksum))
    cursor.execute(CONTENT)
    assert migrate(empty_database_url) == [name for name, _ in migrations()][1:]
    cursor.execute(
        "SELECT p.name, q.hard_bytes, q.used_bytes FROM quotas q JOIN projects p ON p.id = q.project_id"
    )
    assert sorted(cursor.fetchall()) == [("empty", -1, 0), ("team", -1, 10 + 1000 + 100 + 200)]
    cursor.execute("SELECT user_id, group_id, role FROM project_members")
    assert cursor.fetchall() == [(1, None, "developer")]
    cursor.execute("SELECT count(*) FROM manifests WHERE project_id = 1")
    assert cursor.fetchall() == [(2,)]
