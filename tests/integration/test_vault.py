"""Secrets of others: unreadable in the database, readable with today's key, and with yesterday's."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.access import Actor
from app.auth.tokens import TokenInvalid, TokenSigner
from app.db import SQL, Database, open_database
from app.settings import AuthSettings, Secret
from app.vault import Sealer, SecretUnreadable, forget, keep, replace, reveal
from app.vault.model import Standing
from app.vault.renew import renew, standing
from tests.support.roadstead import ROOT, environment_with

OLD, NEW = "old-key-" * 4, "new-key-" * 4
STORED = SQL("SELECT secrets::text FROM secrets ORDER BY id")
SECRET = "a password of somebody else, ünïcode"


def settings(key: str, *previous: str) -> AuthSettings:
    return AuthSettings(secret_key=Secret(key), previous_secret_keys=Secret(", ".join(previous)))


def sealer(key: str, *previous: str) -> Sealer:
    return Sealer(settings(key, *previous))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, size=4, statement_timeout=timedelta(seconds=10)) as opened:
        yield opened


async def kept(database: Database, with_: Sealer, *secrets: str) -> list[int]:
    async with database.transaction() as tx:
        return [await keep(tx, with_, secret) for secret in secrets]


async def read(database: Database, with_: Sealer, secret_id: int) -> str:
    async with database.autocommit() as statements:
        return await reveal(statements, with_, secret_id)


async def stored(database: Database) -> list[str]:
    async with database.autocommit() as statements:
        return await statements.values(STORED)


async def test_a_secret_is_read_again_and_lies_encrypted(database: Database) -> None:
    (first,) = await kept(database, sealer(OLD), SECRET)
    assert await read(database, sealer(OLD), first) == SECRET
    assert not any("password" in row or OLD in row for row in await stored(database))
    async with database.transaction() as tx:
        await replace(tx, sealer(OLD), first, secret="another")
    assert await read(database, sealer(OLD), first) == "another"
    async with database.transaction() as tx:
        await forget(tx, first)
    assert await stored(database) == []
    for gone in (read(database, sealer(OLD), first), _replaced(database, first)):
        with pytest.raises(SecretUnreadable):
            await gone


async def _replaced(database: Database, secret_id: int) -> None:
    async with database.transaction() as tx:
        await replace(tx, sealer(OLD), secret_id, secret="another")


async def test_the_same_secret_never_looks_the_same(database: Database) -> None:
    await kept(database, sealer(OLD), SECRET, SECRET)
    tokens = [row.split(",")[2] for row in await stored(database)]
    assert len(set(tokens)) == 2


async def test_a_new_key_needs_the_old_one_until_secrets_are_renewed(database: Database) -> None:
    (first,) = await kept(database, sealer(OLD), SECRET)
    with pytest.raises(SecretUnreadable, match="ROADSTEAD_AUTH_PREVIOUS_SECRET_KEYS"):
        await read(database, sealer(NEW), first)
    both = sealer(NEW, OLD)
    assert await read(database, both, first) == SECRET
    assert await standing(database, both) == Standing(current=0, older=1, unreadable=0)
    assert await renew(database, both) == 1
    assert await standing(database, sealer(NEW)) == Standing(current=1, older=0, unreadable=0)
    assert await read(database, sealer(NEW), first) == SECRET


async def test_two_renew_everything_at_once_and_what_cannot_be_read_stays(database: Database) -> None:
    secrets = [f"secret {number}" for number in range(450)]
    ids = await kept(database, sealer(OLD), *secrets)
    await kept(database, sealer("a key that nobody remembers any more"), "lost")
    both = sealer(NEW, OLD)
    steps: list[int] = []
    done = await asyncio.gather(renew(database, both, steps.append), renew(database, both, steps.append))
    assert sum(done) == len(secrets)
    assert steps
    assert await standing(database, sealer(NEW)) == Standing(current=450, older=0, unreadable=1)
    assert [await read(database, sealer(NEW), ids[number]) for number in (0, 449)] == [
        secrets[0],
        secrets[449],
    ]


def command(url: str, *arguments: str, previous: str = "") -> subprocess.CompletedProcess[str]:
    env = {"ROADSTEAD_DATABASE_URL": url, "ROADSTEAD_AUTH_SECRET_KEY": NEW}
    return subprocess.run(
        [sys.executable, "-m", "cli", "secrets", *arguments],
        cwd=ROOT,
        env=environment_with(env | {"ROADSTEAD_AUTH_PREVIOUS_SECRET_KEYS": previous}),
        capture_output=True,
        text=True,
        check=False,
    )


async def test_the_command_says_what_is_needed_and_renews(database: Database, database_url: str) -> None:
    await kept(database, sealer(OLD), SECRET)
    lost = command(database_url)
    assert (lost.returncode, lost.stderr.split(":")[0]) == (1, "1 stored secrets cannot be read")
    needed = command(database_url, previous=OLD)
    assert needed.stdout.startswith("1 of 1 stored secrets still need a previous key")
    assert command(database_url, "renew", previous=OLD).stdout == (
        "The key in force encrypts 1 stored secrets. No previous key is needed.\n"
    )
    assert command(database_url).returncode == 0


def test_a_token_of_the_previous_key_is_good_while_that_is_set() -> None:
    token = TokenSigner(settings(OLD)).issue(Actor(username="alice", user_id=7), []).text
    assert TokenSigner(settings(NEW, OLD)).verify(token).username == "alice"
    with pytest.raises(TokenInvalid):
        TokenSigner(settings(NEW)).verify(token)
