"""What went wrong first is answered, also where clearing up after it goes wrong, too."""

from collections.abc import AsyncIterator

import pytest

from app.db import SQL
from tests.conformance.client import Repository, open_repository, with_query
from tests.conformance.content import digest_of, unique
from tests.support.registry import Registry

SIZE = 300_000

REFUSE = SQL("""
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION USING ERRCODE = 'deadlock_detected';
    END
    $$
""")
STUCK = SQL("""
    CREATE TRIGGER stuck BEFORE DELETE ON upload_sessions
    FOR EACH ROW WHEN (OLD.repository_name = 'conformance/stuck') EXECUTE FUNCTION refuse()
""")
LEASED = SQL("""
    CREATE TRIGGER leased BEFORE UPDATE ON upload_sessions
    FOR EACH ROW WHEN (OLD.repository_name = 'conformance/stuck' AND NEW.lease_token IS NULL)
    EXECUTE FUNCTION refuse()
""")
END = SQL("DROP FUNCTION refuse CASCADE")


@pytest.fixture
async def stuck(shared: Registry) -> AsyncIterator[Repository]:
    """A repository whose uploads can be begun, and neither let go nor removed."""
    async with shared.resources.database.autocommit() as statements:
        for statement in (REFUSE, STUCK, LEASED):
            await statements.run(statement)
    yield await open_repository(shared, name="conformance/stuck")
    async with shared.resources.database.autocommit() as statements:
        await statements.run(END)


async def test_wrong_digest_of_a_whole_blob(stuck: Repository) -> None:
    answer = await stuck.send("POST", f"blobs/uploads/?digest={digest_of(b'other')}", unique(SIZE))
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")


async def test_wrong_digest_at_the_end_of_an_upload(stuck: Repository) -> None:
    answer = await stuck.send(
        "PUT", with_query(await stuck.start(), digest=digest_of(b"other")), unique(SIZE)
    )
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")


async def test_chunk_out_of_order(stuck: Repository) -> None:
    answer = await stuck.patch(await stuck.start(), unique(SIZE), f"1-{SIZE}")
    assert answer.status == 416
