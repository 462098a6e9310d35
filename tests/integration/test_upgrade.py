"""A database with content from before a migration has it all afterwards, and counts it rightly."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - psycopg2 names its class in lower case

from app.db.migrate import migrate, migrations
from tests.support.waiting import wait_until

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


def apply(cursor: Cursor, count: int) -> None:
    """Make a database as an older version left it."""
    cursor.execute(
        "CREATE TABLE schema_migrations (name text PRIMARY KEY, checksum text, applied_at timestamptz)"
    )
    for name, text in islice(migrations(), count):
        cursor.execute(text)
        checksum = hashlib.sha256(text.encode()).hexdigest()
        cursor.execute("INSERT INTO schema_migrations VALUES (%s, %s, now())", (name, checksum))


def is_waiting(cursor: Cursor) -> bool:
    cursor.execute(
        "SELECT FROM pg_stat_activity WHERE application_name = %s AND wait_event = 'relation'",
        ("roadstead migrate",),
    )
    return cursor.rowcount > 0


def test_what_was_pushed_before_quotas_is_counted_once_per_project(
    cursor: Cursor, empty_database_url: str
) -> None:
    apply(cursor, 1)
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


@pytest.mark.slow
def test_a_migration_that_waits_for_a_table_lets_requests_pass(
    cursor: Cursor, empty_database_url: str
) -> None:
    apply(cursor, 8)
    with ThreadPoolExecutor(1) as pool, closing(psycopg2.connect(empty_database_url)) as busy:
        with busy.cursor() as held:
            held.execute("LOCK TABLE webhook_deliveries IN ACCESS SHARE MODE")
            migrating = pool.submit(migrate, empty_database_url)
            wait_until(lambda: is_waiting(cursor), "the migration waits")
            cursor.execute("SET statement_timeout = '10s'")
            cursor.execute("SELECT count(*) FROM webhook_deliveries")
            assert cursor.fetchone() == (0,)
        busy.rollback()
        assert migrating.result() == [name for name, _ in migrations()][8:]
