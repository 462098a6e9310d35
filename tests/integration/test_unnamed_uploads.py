"""Which uploads that lie in the storage no session names, also where there are many of both."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.blobs.session_store import insert_session, list_unnamed
from app.db import SQL, Database, open_database
from app.storage import UploadState
from tests.support.servers import Databases

COUNT = 10_000
PATIENCE = timedelta(seconds=5)

MANY = SQL("""
    INSERT INTO upload_sessions (repository_name, owner, algorithm, storage_state, expires_at)
    SELECT 'many/sessions', 'nobody', 'sha256',
        json_build_object('parts', md5(number::text), 'upload', md5('upload' || number), 'stored', '1'), now()
    FROM generate_series(1, %(count)s) number
""")
THEIRS = SQL("""
    SELECT json_build_object('parts', md5(number::text), 'upload', md5('upload' || number))
    FROM generate_series(1, %(count)s) number
""")


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    with databases.fresh(migrated=True) as url:
        async with open_database(url, size=1, statement_timeout=PATIENCE) as opened:
            yield opened


async def test_a_session_names_what_its_state_contains(database: Database) -> None:
    named: list[UploadState] = [
        {"parts": "one", "upload": "first"},
        {"name": "two", "signed": "true"},
        {"file": "three"},
        {"tail": "four"},
    ]
    for state in [named[0] | {"tail": "four", "stored": "1"}, named[1], named[2]]:
        await insert_session(
            database,
            "project/repository",
            owner="somebody",
            algorithm="sha256",
            storage_state=state,
            expiry=timedelta(hours=1),
        )
    unnamed: list[UploadState] = [
        {"parts": "one", "upload": "second"},
        {"parts": "other", "upload": "first"},
        {"name": "other", "signed": "true"},
        {"file": "three", "direct": "true"},
        {"name": "three"},
        {"tail": "other"},
    ]
    found = await list_unnamed(database, named + unnamed)
    assert sorted(map(str, found)) == sorted(map(str, unnamed))
    assert await list_unnamed(database, []) == []


async def test_there_may_be_many_of_both(database: Database) -> None:
    async with database.autocommit() as statements:
        await statements.run(MANY, count=COUNT)
        theirs = await statements.values(THEIRS, count=COUNT)
    mine: list[UploadState] = [{"parts": "mine"}]
    assert await list_unnamed(database, theirs + mine) == mine
