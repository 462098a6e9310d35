"""What a crash of the database takes back of an upload that was opened a moment ago."""

from app.db import SQL
from tests.conformance.client import open_repository
from tests.conformance.content import digest_of, unique
from tests.support.registry import Registry

TAKE_BACK = SQL("UPDATE upload_sessions SET tail = '', offset_bytes = 0 WHERE repository_name = %(name)s")


async def test_upload_whose_last_bytes_were_lost_has_to_start_again(registry: Registry) -> None:
    repo = await open_repository(registry)
    data = unique()
    sent = await repo.patch(await repo.start(), data)
    assert sent.status == 202
    async with registry.resources.database.autocommit() as statements:
        assert await statements.run(TAKE_BACK, name=repo.name) == 1
    answer = await repo.close(sent.location, digest_of(data))
    assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert await repo.push_blob(data) == digest_of(data)
