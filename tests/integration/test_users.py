"""Setting passwords: each way to set one keeps the rule, and one that is older than it goes on working."""

from collections.abc import AsyncIterator

import pytest

from app.db import Database, open_database
from app.settings import Settings
from app.users import store
from app.users.create import create_user, ensure_admin, set_password
from app.users.model import User
from app.users.passwords import PasswordTooWeak, hash_password, is_password

OLD = "admin"


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with open_database(
        settings.database.url, size=2, statement_timeout=settings.database.statement_timeout
    ) as opened:
        yield opened


async def insert_old_user(database: Database, username: str) -> None:
    """A user from before the rule."""
    async with database.transaction() as tx:
        await store.insert_user(
            tx, username, password_hash=await hash_password(OLD), is_sysadmin=username == "admin"
        )


async def find(database: Database, username: str) -> User | None:
    async with database.transaction() as tx:
        return await store.find_user(tx, username)


async def has_password(database: Database, username: str, password: str) -> bool:
    user = await find(database, username)
    return user is not None and await is_password(password, user.password_hash)


async def test_nobody_is_made_with_a_weak_password(database: Database) -> None:
    with pytest.raises(PasswordTooWeak):
        async with database.transaction() as tx:
            await create_user(tx, "alice", "alices-password")
    assert await find(database, "alice") is None


async def test_a_weak_password_does_not_replace_one(database: Database) -> None:
    await insert_old_user(database, "alice")
    with pytest.raises(PasswordTooWeak):
        async with database.transaction() as tx:
            await set_password(tx, "alice", OLD)
    async with database.transaction() as tx:
        assert await set_password(tx, "alice", "Alices-password-1")
    assert await has_password(database, "alice", "Alices-password-1")


async def test_the_administrator_keeps_a_password_older_than_the_rule(database: Database) -> None:
    await insert_old_user(database, "admin")
    async with database.transaction() as tx:
        await ensure_admin(tx, OLD)
    assert await has_password(database, "admin", OLD)


@pytest.mark.parametrize("is_there", [False, True], ids=["first", "again"])
async def test_the_administrator_gets_no_weak_password(database: Database, *, is_there: bool) -> None:
    if is_there:
        await insert_old_user(database, "admin")
    with pytest.raises(PasswordTooWeak):
        async with database.transaction() as tx:
            await ensure_admin(tx, "another-password")
    assert (await find(database, "admin") is not None) is is_there
