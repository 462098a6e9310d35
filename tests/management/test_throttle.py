"""Guessing of secrets is slowed by user and address, and audited; nobody is kept out when Redis is gone."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from app.auth.throttle import FREE, FREE_OF_ADDRESS, LONGEST_SECONDS, WINDOW_SECONDS, Guess
from app.db import SQL
from app.settings import Secret, Settings
from tests.management.client import PASSWORD, Answer, Caller, unique
from tests.management.test_sessions import log_in
from tests.support.accounts import make_account
from tests.support.registry import Registry, running_registry
from tests.support.servers import Databases

pytestmark = pytest.mark.slow

ADDRESS = "127.0.0.1"
WRONG = "Wrong-password-1"
FORGET = SQL("DELETE FROM outbox")
REFUSALS = SQL("SELECT payload->>'name' FROM outbox WHERE type = 'login.refused' ORDER BY id")
CAUSES = SQL("SELECT cause->>'address' FROM outbox WHERE type = 'login.refused'")


@pytest.fixture(scope="module")
def database_url(databases: Databases) -> Iterator[str]:
    """One database for all; the process and the counters are each test's own."""
    with databases.fresh(migrated=True) as url:
        yield url


@pytest.fixture(autouse=True)
async def nothing_recorded(registry: Registry) -> None:
    async with registry.resources.database.autocommit() as statements:
        await statements.run(FORGET)


@pytest.fixture
async def user(registry: Registry) -> Caller:
    username = unique("alice")
    async with registry.resources.database.transaction() as tx:
        await make_account(tx, username, PASSWORD)
    return Caller(registry, username, PASSWORD)


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    async with Redis.from_url(settings.redis.url) as client:
        yield client


async def guess(user: Caller, times: int = 1, password: str = WRONG) -> Answer:
    """Log in that often and return the last answer."""
    guesser = Caller(user.registry, user.username, password)
    answers = [await guesser.get("/users/current") for _ in range(times)]
    return answers[-1]


async def end_wait(redis: Redis, username: str) -> None:
    """As if the time had passed that a guesser has to wait."""
    key = Guess.of(username, ADDRESS).pair
    assert await redis.ttl(key) > WINDOW_SECONDS
    await redis.expire(key, WINDOW_SECONDS)


async def refusals(registry: Registry) -> list[str]:
    async with registry.resources.database.autocommit() as statements:
        return await statements.values(REFUSALS)


async def commands(redis: Redis) -> int:
    return int((await redis.info("stats"))["total_commands_processed"])


async def test_who_fails_too_often_waits_longer_each_time(user: Caller, redis: Redis) -> None:
    assert (await guess(user, FREE)).status == 401
    slowed = await guess(user)
    assert (slowed.status, slowed.code) == (429, "TOO_MANY_REQUEST")
    assert 0 < int(slowed.headers["Retry-After"]) <= 2
    assert (await user.get("/users/current")).status == 429  # nobody learns whether it was right
    waits = []
    for _ in range(10):
        await end_wait(redis, user.username)
        assert (await guess(user)).status == 401
        waits.append(int((await guess(user)).headers["Retry-After"]))
    longest = [4, 8, 16, 32, 64, 128, 256, 512, LONGEST_SECONDS, LONGEST_SECONDS]
    assert all(0 <= most - wait <= 1 for wait, most in zip(waits, longest, strict=True))


async def test_success_resets_the_users_counter(user: Caller, redis: Redis) -> None:
    assert (await guess(user, FREE - 1)).status == 401
    assert (await user.get("/users/current")).status == 200
    assert not await redis.exists(Guess.of(user.username, ADDRESS).pair)
    assert (await guess(user, FREE)).status == 401
    await end_wait(redis, user.username)
    assert (await Caller(user.registry, user.username.upper(), PASSWORD).get("/users/current")).status == 200
    assert (await guess(user)).status == 401


async def test_secret_that_was_right_before_is_not_slowed_but_resets(user: Caller, redis: Redis) -> None:
    """Nor does it cost a word with Redis, unless another was wrong since."""
    assert (await user.get("/users/current")).status == 200
    assert (await guess(user, FREE + 1)).status == 429
    assert (await user.get("/users/current")).status == 200
    assert (await guess(user)).status == 401
    assert (await user.get("/users/current")).status == 200
    before = await commands(redis)
    for _ in range(5):
        assert (await user.get("/users/current")).status == 200
    assert await commands(redis) == before + 1


async def test_others_are_not_slowed(user: Caller, registry: Registry) -> None:
    assert (await guess(user, FREE + 1)).status == 429
    admin = Caller(registry, "admin", registry.resources.settings.admin_password)
    assert (await admin.get("/users/current")).status == 200


async def test_address_is_slowed_whomever_it_tries(user: Caller, registry: Registry) -> None:
    answers = [
        await Caller(registry, f"guessed-{number}", WRONG).get("/users/current")
        for number in range(FREE_OF_ADDRESS + 5)
    ]
    assert {answer.status for answer in answers[:FREE_OF_ADDRESS]} == {401}
    assert {answer.status for answer in answers[FREE_OF_ADDRESS:]} == {429}
    assert (await user.get("/users/current")).status == 429
    # Of those that were not even looked at, one is on record.
    assert len(await refusals(registry)) == FREE_OF_ADDRESS + 1


async def test_burst_is_no_way_round(user: Caller) -> None:
    guesser = Caller(user.registry, user.username, WRONG)
    answers = await asyncio.gather(*(guesser.get("/users/current") for _ in range(30)))
    assert sorted(answer.status for answer in answers) == [401] * FREE + [429] * (30 - FREE)


async def test_burst_of_the_right_secret_is_let_in(user: Caller) -> None:
    answers = await asyncio.gather(*(user.get("/users/current") for _ in range(30)))
    assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize("way", ["registry", "token", "token by form", "page", "api"])
async def test_every_way_in_counts_and_slows(user: Caller, registry: Registry, way: str) -> None:
    wrong = Caller(registry, user.username, WRONG)
    calls: dict[str, tuple[str, str, dict[str, Any]]] = {
        "registry": ("GET", "/v2/", {"headers": wrong.auth}),
        "token": ("GET", "/service/token", {"headers": wrong.auth}),
        "token by form": (
            "POST",
            "/service/token",
            {"data": {"grant_type": "password", "username": user.username, "password": WRONG}},
        ),
        "page": ("POST", "/c/login", {"data": {"principal": user.username, "password": WRONG}}),
        "api": ("GET", "/api/v2.0/projects/1/members", {"headers": wrong.auth}),
    }
    method, path, sent = calls[way]
    for _ in range(FREE):
        async with registry.session.request(method, registry.url + path, **sent) as answer:
            assert answer.status == 401
    async with registry.session.request(method, registry.url + path, **sent) as answer:
        assert answer.status == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 2
        code = (await answer.json())["errors"][0]["code"]
    assert code == ("TOO_MANY_REQUEST" if way in {"page", "api"} else "TOOMANYREQUESTS")
    assert (await guess(user)).status == 429


async def test_refusals_are_audited_but_do_not_flood_the_log(user: Caller, registry: Registry) -> None:
    await guess(user, FREE + 3)
    await guess(Caller(registry, "x" * 300), 2)
    credentials = b64encode(b"n\0ul:x").decode()
    async with registry.session.get(
        f"{registry.url}/v2/", headers={"Authorization": f"Basic {credentials}"}
    ) as answer:
        assert answer.status == 401
    assert await refusals(registry) == [user.username, "x" * 255, "nul"]
    async with registry.resources.database.autocommit() as statements:
        assert set(await statements.values(CAUSES)) == {ADDRESS}


async def test_malformed_credentials_are_no_guess(registry: Registry) -> None:
    for _ in range(FREE + 3):
        async with registry.session.get(
            f"{registry.url}/v2/", headers={"Authorization": "Basic !!!"}
        ) as answer:
            assert answer.status == 401
    assert await refusals(registry) == []


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", ""], ids=["down", "none"])
async def test_without_redis_nobody_is_slowed_or_kept_out(settings: Settings, url: str) -> None:
    alone = msgspec.structs.replace(settings, redis=msgspec.structs.replace(settings.redis, url=Secret(url)))
    with capture_logs() as logs:
        async with running_registry(alone) as registry:
            admin = Caller(registry, "admin", alone.admin_password)
            assert (await guess(admin, FREE * 3)).status == 401
            assert (await admin.get("/users/current")).status == 200
            assert await refusals(registry) == ["admin"]
    warnings = [entry for entry in logs if entry["event"] == "failed_logins_not_counted"]
    assert len(warnings) == (1 if url else 0)


async def test_error_of_redis_is_none_of_a_request(user: Caller, redis: Redis) -> None:
    await redis.set(Guess.of(user.username, ADDRESS).pair, "not a number")
    assert (await guess(user)).status == 401
    assert (await user.get("/users/current")).status == 200


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        ("", "10.1.1.1", ADDRESS),
        ("192.0.2.0/24", "10.1.1.1", ADDRESS),
        ("127.0.0.0/8", "10.1.1.1", "10.1.1.1"),
        ("127.0.0.0/8", "10.9.9.9, 10.1.1.1", "10.1.1.1"),
        ("127.0.0.0/8,10.1.0.0/16", "2001:db8::1, 10.1.1.1", "2001:db8::1"),
        ("127.0.0.0/8", "forged:\t%s", ADDRESS),
        ("127.0.0.0/8", "", ADDRESS),
        ("127.0.0.0/8", "fe80::1%" + "x" * 99, "fe80::1"),
        ("127.0.0.0/8,10.1.0.0/16", "10.9.9.9, ::ffff:10.1.1.1", "10.9.9.9"),
        ("127.0.0.0/8", "10.9.9.9, ::FFFF:10.1.1.1", "10.1.1.1"),
    ],
)
async def test_address_is_the_one_that_a_trusted_proxy_names(
    settings: Settings, trusted: str, forwarded: str, address: str
) -> None:
    behind = msgspec.structs.replace(settings, trusted_proxies=trusted)
    async with running_registry(behind) as registry:
        guesser = Caller(registry, unique("nobody"), WRONG)
        await guesser("GET", "/users/current", headers={"X-Forwarded-For": forwarded})
        async with registry.resources.database.autocommit() as statements:
            assert await statements.values(CAUSES) == [address]
            await statements.run(FORGET)


async def test_one_behind_a_proxy_does_not_slow_the_others(user: Caller, settings: Settings) -> None:
    behind = msgspec.structs.replace(settings, trusted_proxies="127.0.0.1")
    async with running_registry(behind) as registry:
        guesser, there = Caller(registry, user.username, WRONG), {"X-Forwarded-For": "10.1.1.1"}
        answers = [await guesser("GET", "/users/current", headers=there) for _ in range(FREE + 1)]
        assert answers[-1].status == 429
        known = Caller(registry, user.username, PASSWORD)
        here = {"X-Forwarded-For": "10.1.1.2"}
        assert (await known("GET", "/users/current", headers=here)).status == 200


async def test_guessing_the_old_password_is_slowed_and_audited_like_a_login(user: Caller) -> None:
    """In somebody's session, as whoever finds an open browser would."""
    opened = await log_in(user)
    path = f"/users/{(await user.get('/users/current')).json['user_id']}/password"
    page, wanted = Caller(user.registry), {"old_password": WRONG, "new_password": "Another-horse-1"}
    for _ in range(FREE):
        refused = await page("PUT", path, wanted, headers=opened.all_headers)
        assert (refused.status, refused.message) == (403, "old_password: this is not your password")
    assert (await page("PUT", path, wanted, headers=opened.all_headers)).status == 429
    assert await refusals(user.registry) == [user.username]


SCOPES = SQL("""
    SELECT concat_ws(' ', cause->>'username', payload->>'repository_name', payload->>'actions')
    FROM outbox WHERE type = 'token.refused' ORDER BY id
""")


async def test_token_that_is_worth_nothing_is_audited_once_a_minute(user: Caller) -> None:
    registry = user.registry
    for _ in range(3):
        await registry.token("repository:hidden/app:pull,push", auth=user.auth)
    await registry.token("repository:hidden/other:delete", auth=user.auth)
    anonymous = {"scope": "repository:hidden/app:pull"}
    async with registry.session.get(f"{registry.url}/service/token", params=anonymous) as answer:
        assert answer.status == 200
    await registry.token("repository:hidden/app:", "registry:catalog:*", "unknown:x:pull", auth=user.auth)
    async with registry.resources.database.autocommit() as statements:
        assert await statements.values(SCOPES) == [
            f'{user.username} hidden/app ["pull","push"]',
            f'{user.username} hidden/other ["delete"]',
            ' hidden/app ["pull"]',
        ]
