"""The database layer on a real PostgreSQL: time limits, lost connections, notifications, migrations."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import psycopg2
import pytest

from app.db import SQL, Database, Prepared, StatementTimeout, Transaction, UniqueViolation, open_database
from app.db.migrate import MigrationChanged, migrate, migrations
from tests.support.eventually import until

PID = SQL("SELECT pg_backend_pid()")
SLEEP = SQL("SELECT pg_sleep(%(seconds)s)")
ONE = SQL("SELECT 1")
INSERT = SQL("INSERT INTO projects (name) VALUES (%(name)s)")
NAMES = SQL("SELECT name FROM projects ORDER BY name")
NOTIFY = SQL("SELECT pg_notify('outbox', '')")
TERMINATE = SQL("""
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
""")
SLEEPING = SQL("""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE '%%pg_sleep%%' AND pid <> pg_backend_pid()
        AND state = 'active'
""")
TWICE = Prepared(
    "tests_twice",
    ("bigint[]",),
    "SELECT asked * 2 FROM unnest($1) WITH ORDINALITY AS asked (asked, place) ORDER BY place",
)
CREATE = Prepared("tests_create", ("text[]",), "INSERT INTO projects (name) SELECT unnest($1)")
LIST = Prepared("tests_list", ("bigint",), "SELECT name FROM projects LIMIT $1")
UNTIL_FIRST = "0001_registry"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=4, statement_timeout=timedelta(milliseconds=300)) as opened:
        yield opened


async def value(database: Database, statement: SQL, **params: object) -> object:
    async with database.autocommit() as statements:
        return await statements.value(statement, **params)


async def names(database: Database) -> list[str]:
    async with database.autocommit() as statements:
        return await statements.values(NAMES)


async def test_what_is_asked_for_as_it_was_recently_is_asked_once(database: Database) -> None:
    hour, none = timedelta(hours=1), timedelta(0)
    await database.call(CREATE, ["first"])
    assert await database.recent(LIST, 10, max_age=hour) == {"first"}
    await database.call(CREATE, ["second"])
    assert await database.recent(LIST, 10, max_age=hour) == {"first"}
    assert await database.recent(LIST, 10, max_age=none) == {"first", "second"}


async def test_server_that_gives_up_is_no_cancellation(database: Database) -> None:
    with pytest.raises(StatementTimeout):
        await value(database, SLEEP, seconds=5)
    assert await value(database, ONE) == 1


async def test_cancelled_task_is_cancelled_and_harms_nobody(database_url: str) -> None:
    async with open_database(database_url, size=2, statement_timeout=timedelta(seconds=30)) as database:
        tasks = [asyncio.create_task(value(database, SLEEP, seconds=20)) for _ in range(2)]
        async with open_database(database_url, size=2, statement_timeout=timedelta(seconds=30)) as other:
            await until(lambda: value(other, SLEEPING), lambda count: count == 2)
        for task in tasks:
            task.cancel()
        assert [type(e) for e in await asyncio.gather(*tasks, return_exceptions=True)] == [
            asyncio.CancelledError,
            asyncio.CancelledError,
        ]
        assert [await value(database, ONE) for _ in range(4)] == [1] * 4


async def test_every_one_of_many_gets_his_own_row(database: Database) -> None:
    found = await asyncio.gather(*(database.look_up(TWICE, number) for number in range(500)))
    assert [row[0] for row in found] == [number * 2 for number in range(500)]


async def test_read_survives_a_connection_that_the_server_closed(
    database: Database, database_url: str
) -> None:
    assert await database.read(TWICE, [4]) == [(8,)]
    async with open_database(database_url, size=2, statement_timeout=timedelta(seconds=5)) as other:
        await value(other, TERMINATE)
    assert await database.read(TWICE, [4]) == [(8,)]


async def test_transaction_that_fails_leaves_nothing(database: Database) -> None:
    async def fail(tx: Transaction) -> None:
        await tx.run(INSERT, name="lost")
        raise ZeroDivisionError

    async def run() -> None:
        async with database.transaction() as tx:
            await fail(tx)

    with pytest.raises(ZeroDivisionError):
        await run()
    async with database.transaction() as tx:
        await tx.run(INSERT, name="kept")
    assert await names(database) == ["kept"]


async def test_listener_is_woken_by_the_commit_and_not_before(database: Database) -> None:
    async with database.listen("outbox") as wait:
        waiting = asyncio.ensure_future(wait(20))
        async with database.transaction() as tx:
            await tx.value(NOTIFY)
            done, _ = await asyncio.wait({waiting}, timeout=0.1)
            assert not done
        done, _ = await asyncio.wait({waiting}, timeout=10)
        assert done


async def test_listener_hears_nothing_of_what_failed_on_its_connection_before(database: Database) -> None:
    await database.call(CREATE, ["taken"])
    with pytest.raises(UniqueViolation):
        await database.call(CREATE, ["taken"])
    async with database.listen("outbox") as wait:
        waiting = asyncio.ensure_future(wait(20))
        async with database.transaction() as tx:
            await tx.value(NOTIFY)
        await waiting


def test_two_migrations_at_once_apply_each_file_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate, [empty_database_url] * 4))
    assert sorted(name for run in applied for name in run) == [name for name, _ in migrations()]


def test_migration_that_was_edited_is_refused(database_url: str) -> None:
    with closing(psycopg2.connect(database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE schema_migrations SET checksum = 'another' WHERE name = %s", (UNTIL_FIRST,))
    with pytest.raises(MigrationChanged, match="0001_registry was applied in another wording"):
        migrate(database_url)


async def test_what_runs_with_the_commit_is_part_of_the_transaction(database: Database) -> None:
    async def run(*last: str) -> None:
        async with database.transaction() as tx:
            await tx.run(INSERT, name="first")
            for name in last:
                tx.finally_run(CREATE, [name])

    with pytest.raises(UniqueViolation):
        await run("second", "first")
    assert await names(database) == []
    await run("second", "third")
    assert await names(database) == ["first", "second", "third"]


async def test_transaction_of_nothing_but_last_words_is_one(database: Database) -> None:
    async with database.transaction() as tx:
        tx.finally_run(CREATE, ["only"])
    await database.note(CREATE, ["noted"])
    assert await names(database) == ["noted", "only"]
