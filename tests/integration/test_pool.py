"""Who gets which connection, and that none is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from app.db import SQL, Check, Database, Precondition, Prepared, Statements, open_database, under
from tests.support.eventually import until
from tests.support.waiting import is_running

PID = SQL("SELECT pg_backend_pid()")
TERMINATE = SQL("SELECT pg_terminate_backend(%(pid)s)")
OPEN = SQL("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
INSERT = SQL("INSERT INTO projects (name) VALUES (%(name)s)")
NAMES = SQL("SELECT name FROM projects ORDER BY name")
RATIO = SQL("SELECT %(name)s || '%%' || 'done%%'")
FAILS = Check(Prepared("tests_fails", ("integer",), "SELECT 1 / $1"), (0,))
HOLDS = Check(Prepared("tests_holds", ("integer",), "SELECT 1 / $1"), (1,))
SIZE = 2


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=SIZE, statement_timeout=timedelta(seconds=10)) as opened:
        yield opened


async def pid(database: Database) -> int:
    async with database.autocommit() as statements:
        return int(await statements.value(PID))


async def names(database: Database) -> list[str]:
    async with database.autocommit() as statements:
        return await statements.values(NAMES)


async def borrow(stack: AsyncExitStack, database: Database, number: int = SIZE) -> list[Statements]:
    lent = [await stack.enter_async_context(database.autocommit()) for _ in range(number)]
    for statements in lent:
        await statements.value(PID)
    return lent


async def all_of(came: list[int], number: int) -> None:
    """Wait until so many came, each of which then waits for a connection."""

    async def count() -> int:
        return len(came)

    await until(count, lambda found: found == number)


async def test_the_connection_that_came_back_last_goes_out_first(database: Database) -> None:
    async with AsyncExitStack() as stack:
        await borrow(stack, database)
    assert len({await pid(database) for _ in range(5)}) == 1


async def test_no_connection_is_opened_that_nobody_needs(database: Database) -> None:
    for _ in range(5):
        async with database.autocommit() as idle, database.autocommit() as statements:
            assert await statements.value(OPEN) == 1
            del idle


async def test_who_waits_gets_what_comes_back_in_the_order_of_coming(database: Database) -> None:
    came: list[int] = []
    order: list[int] = []

    async def ask(number: int) -> None:
        came.append(number)
        await pid(database)
        order.append(number)

    async with AsyncExitStack() as stack:
        await borrow(stack, database, SIZE - 1)
        async with database.autocommit() as other:
            await other.value(PID)
            waiting = [asyncio.create_task(ask(number)) for number in range(6)]
            await all_of(came, 6)
        await asyncio.gather(*waiting)
    assert order == sorted(order)


async def test_who_gives_up_waiting_takes_no_connection_along(database: Database) -> None:
    came: list[int] = []

    async def ask(number: int) -> None:
        came.append(number)
        await pid(database)

    async with AsyncExitStack() as stack:
        await borrow(stack, database)
        waiting = [asyncio.create_task(ask(number)) for number in range(6)]
        await all_of(came, 6)
        for task in waiting[:3]:
            task.cancel()
    for task in waiting[3:5]:
        task.cancel()  # the connection was handed to it in the same turn
    await asyncio.gather(*waiting, return_exceptions=True)
    async with AsyncExitStack() as stack, asyncio.timeout(5):
        assert len(await borrow(stack, database)) == SIZE


async def test_connection_that_the_server_closed_is_replaced(database: Database) -> None:
    async with AsyncExitStack() as stack:
        victim, other = await borrow(stack, database)
        backend: int = await victim.value(PID)

        async def seen() -> tuple[bool, object]:
            # The server forgets a connection a moment before it is closed.
            return is_running(backend), await other.value(OPEN)

        assert await other.value(TERMINATE, pid=backend)
        await until(seen, lambda found: found == (False, 1))
    async with AsyncExitStack() as stack:
        assert len({await one.value(PID) for one in await borrow(stack, database)}) == SIZE


def renewing(database: Database, check: Check, renewed: list[int]) -> Precondition:
    async def renew() -> None:
        renewed.append(await pid(database))

    return Precondition(check, renew)


async def test_a_check_that_fails_is_renewed_with_the_last_connection(database_url: str) -> None:
    renewed: list[int] = []
    async with (
        open_database(database_url, size=1, statement_timeout=timedelta(seconds=10)) as database,
        asyncio.timeout(10),
    ):
        with under(renewing(database, FAILS, renewed)):
            async with database.transaction() as tx:
                await tx.run(INSERT, name="first")
                await tx.run(INSERT, name="second")
        with under(renewing(database, FAILS, renewed)):
            async with database.transaction() as tx:
                tx.finally_run(Prepared.registry[FAILS.statement.name], 1)
        with under(renewing(database, FAILS, renewed)):
            assert await names(database) == ["first", "second"]
    assert len(renewed) == 3


async def test_a_check_rides_with_statements_of_either_kind(database: Database) -> None:
    renewed: list[int] = []
    with under(renewing(database, HOLDS, renewed)):
        async with database.autocommit() as statements:
            assert await statements.value(RATIO, name="half") == "half%done%"
    with under(renewing(database, HOLDS, renewed)):
        assert await database.read(HOLDS.statement, 1) == [(1,)]
    assert not renewed


async def test_nothing_is_done_where_a_check_fails_for_good(database: Database) -> None:
    class RefusedError(Exception):
        pass

    async def refuse() -> None:
        raise RefusedError

    async def insert() -> None:
        async with database.transaction() as tx:
            await tx.run(INSERT, name="never")

    with under(Precondition(FAILS, refuse)), pytest.raises(RefusedError):
        await insert()
    assert await names(database) == []
