"""Sessions of browser pages: the cookie opens the API, and changes need a token."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from http.cookies import SimpleCookie

import pytest
from aiohttp import ClientSession, DummyCookieJar

from app.auth.sessions import remove_expired
from app.db import SQL
from app.users.create import set_password
from tests.conformance.serving import settings_for
from tests.management.client import PASSWORD, Caller
from tests.management.conftest import MakeUser
from tests.management.robots import caller_of, entry, of_system
from tests.support.registry import Registry, running_registry

CSRF = "X-Harbor-CSRF-Token"
OTHER = "Another-password-2"
EVENTS = SQL(
    "SELECT type FROM outbox WHERE payload->>'name' = %(name)s AND type LIKE 'session.%%' ORDER BY id"
)
OF_USER = SQL("SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.username = %(name)s")
HELD = SQL("SELECT encode(key_hash, 'hex') FROM sessions")
EXPIRE = SQL(
    "UPDATE sessions s SET expires_at = now() + %(left)s::interval FROM users u "
    "WHERE u.id = s.user_id AND u.username = %(name)s"
)
EXPIRY = SQL(
    "SELECT s.expires_at - now() FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.username = %(name)s"
)
DISABLE = SQL("UPDATE users SET is_disabled = %(is_disabled)s WHERE username = %(name)s")


@dataclass(frozen=True)
class Opened:
    """What a login is answered."""

    status: int
    cookie: str
    attributes: str
    csrf: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": f"sid={self.cookie}"}

    @property
    def all_headers(self) -> dict[str, str]:
        return self.headers | {CSRF: self.csrf}


async def log_in(caller: Caller, password: str = "", **headers: str) -> Opened:
    url = f"{caller.registry.url}/c/login"
    form = {"principal": caller.username, "password": password or caller.password}
    async with (
        ClientSession(cookie_jar=DummyCookieJar()) as session,
        session.post(url, data=form, headers=headers) as answer,
    ):
        attributes = answer.headers.get("Set-Cookie", "")
        cookies = SimpleCookie(attributes)
        value = cookies["sid"].value if "sid" in cookies else ""
        return Opened(answer.status, value, attributes, answer.headers.get(CSRF, ""))


async def value_of(registry: Registry, statement: SQL, **params: object) -> object:
    async with registry.resources.database.autocommit() as statements:
        return await statements.value(statement, **params)


async def run(registry: Registry, statement: SQL, **params: object) -> None:
    async with registry.resources.database.autocommit() as statements:
        await statements.run(statement, **params)


@pytest.fixture
async def user(make_user: MakeUser) -> Caller:
    return await make_user()


@pytest.fixture
def page(shared: Registry) -> Caller:
    """Shows nothing but what the headers of a call have."""
    return Caller(shared)


async def test_cookie_opens_the_api_until_the_logout(user: Caller, page: Caller, shared: Registry) -> None:
    opened = await log_in(user)
    assert opened.status == 200
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(opened.attributes.split("; "))
    assert "Secure" not in opened.attributes
    me = await page("GET", "/users/current", headers=opened.headers)
    assert (me.status, me.json["username"]) == (200, user.username)
    assert me.headers[CSRF] == opened.csrf
    async with shared.session.get(f"{shared.url}/c/log_out", headers=opened.headers) as answer:
        assert answer.status == 200
        assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert (await page("GET", "/users/current", headers=opened.headers)).status == 401
    async with shared.resources.database.autocommit() as statements:
        assert await statements.values(EVENTS, name=user.username) == ["session.opened", "session.closed"]


async def test_change_needs_the_token_that_answers_carry(user: Caller, page: Caller) -> None:
    opened, foreign = await log_in(user), await log_in(user)
    me = (await page("GET", "/users/current", headers=opened.headers)).json
    path, profile = f"/users/{me['user_id']}", {"email": f"{user.username}@example.org", "realname": "Me"}
    for token in ("", "wrong", "ä", foreign.csrf):
        refused = await page("PUT", path, profile, headers=opened.headers | {CSRF: token})
        assert (refused.status, refused.code) == (403, "FORBIDDEN")
        assert refused.headers[CSRF] == opened.csrf
        beside = f"_gorilla_csrf={opened.csrf}; Path=/; HttpOnly; SameSite=Strict"
        assert refused.headers["Set-Cookie"] == beside, "Harbor's clients take the token only with it"
    assert (await page("PUT", path, profile, headers=opened.headers)).status == 403
    assert "email" not in (await page("GET", path, headers=opened.headers)).json
    assert (await page("PUT", path, profile, headers=opened.all_headers)).status == 200
    missing = await page("GET", "/projects/999999999/members", headers=opened.headers)
    assert (missing.status, missing.headers[CSRF]) == (403, opened.csrf)


async def test_basic_needs_no_token_whatever_the_cookie(user: Caller) -> None:
    opened = await log_in(user)
    path = f"/users/{(await user.get('/users/current')).json['user_id']}"
    profile = {"email": f"{user.username}@example.org", "realname": "Me"}
    changed = await user("PUT", path, profile, headers=opened.headers)
    assert changed.status == 200
    assert CSRF not in changed.headers


@pytest.mark.parametrize("cookie", ["", "x", "x" * 4000, '"', "ÿ\udcff", "a=b; sid=c"])
async def test_cookie_that_is_none_is_nobody(page: Caller, cookie: str) -> None:
    answer = await page("GET", "/users/current", headers={"Cookie": f"sid={cookie}"})
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")


async def test_cookie_opens_no_registry(user: Caller, shared: Registry) -> None:
    opened = await log_in(user)
    async with shared.session.get(f"{shared.url}/v2/", headers=opened.headers) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


async def test_session_slides_and_ends(user: Caller, page: Caller, shared: Registry) -> None:
    opened = await log_in(user)
    await run(shared, EXPIRE, name=user.username, left=timedelta(minutes=1))
    assert (await page("GET", "/users/current", headers=opened.headers)).status == 200
    left = await value_of(shared, EXPIRY, name=user.username)
    assert isinstance(left, timedelta)
    assert timedelta(minutes=59) < left <= timedelta(minutes=60)
    await run(shared, EXPIRE, name=user.username, left=timedelta(seconds=-1))
    assert (await page("GET", "/users/current", headers=opened.headers)).status == 401
    assert await value_of(shared, OF_USER, name=user.username) == 1
    assert await remove_expired(shared.resources) >= 1
    assert await value_of(shared, OF_USER, name=user.username) == 0


async def test_session_lives_as_long_as_is_configured(user: Caller, admin: Caller, shared: Registry) -> None:
    await admin.put("/configurations", {"session_timeout": 5})
    try:
        await log_in(user)
    finally:
        await admin.put("/configurations", {"session_timeout": 60})
    left = await value_of(shared, EXPIRY, name=user.username)
    assert isinstance(left, timedelta)
    assert left <= timedelta(minutes=5)


async def test_changed_password_ends_sessions(user: Caller, page: Caller, shared: Registry) -> None:
    opened, other = await log_in(user), await log_in(user)
    me = (await page("GET", "/users/current", headers=opened.headers)).json
    body = {"old_password": PASSWORD, "new_password": OTHER}
    path = f"/users/{me['user_id']}/password"
    assert (await page("PUT", path, body, headers=opened.all_headers)).status == 200
    for session in (opened, other):
        assert (await page("GET", "/users/current", headers=session.headers)).status == 401
    third = await log_in(user, OTHER)
    async with shared.resources.database.transaction() as tx:
        await set_password(tx, user.username, PASSWORD)
    assert (await page("GET", "/users/current", headers=third.headers)).status == 401


async def test_disabled_user_has_no_session_also_afterwards(
    user: Caller, page: Caller, shared: Registry
) -> None:
    opened = await log_in(user)
    await run(shared, DISABLE, name=user.username, is_disabled=True)
    assert (await page("GET", "/users/current", headers=opened.headers)).status == 401
    assert (await log_in(user)).status == 401
    await run(shared, DISABLE, name=user.username, is_disabled=False)
    assert (await page("GET", "/users/current", headers=opened.headers)).status == 401


async def test_removed_user_has_no_session(user: Caller, page: Caller, admin: Caller) -> None:
    opened = await log_in(user)
    user_id = (await user.get("/users/current")).json["user_id"]
    await admin.delete(f"/users/{user_id}")
    assert (await page("GET", "/users/current", headers=opened.headers)).status == 401


async def test_login_of_nobody_opens_nothing(user: Caller, shared: Registry, admin: Caller) -> None:
    wrong = await log_in(user, "Wrong-password-1")
    assert (wrong.status, wrong.attributes) == (401, "")
    assert (await log_in(Caller(shared, "nobody-at-all", PASSWORD))).status == 401
    robot = caller_of(
        shared, await admin.post("/robots", of_system(entry("/", [{"resource": "user", "action": "list"}])))
    )
    assert (await log_in(robot)).status == 401
    cross = await log_in(user, **{"Sec-Fetch-Site": "cross-site"})
    assert (cross.status, cross.attributes) == (403, "")
    for body in (b"\xff", b"&" * 500 + b"a=b" * 500, b"", b"principal=%00&password=%00"):
        async with shared.session.post(f"{shared.url}/c/login", data=body) as answer:
            assert answer.status in {400, 401}
            assert "errors" in await answer.json()


async def test_database_holds_no_key(user: Caller, shared: Registry) -> None:
    opened = await log_in(user)
    async with shared.resources.database.autocommit() as statements:
        held = await statements.values(HELD)
    assert opened.cookie.encode().hex() not in held
    assert opened.cookie not in held


async def test_logout_without_a_session_is_fine(shared: Registry) -> None:
    for headers in ({}, {"Cookie": "sid=unknown"}):
        async with shared.session.get(f"{shared.url}/c/log_out", headers=headers) as answer:
            assert answer.status == 200


async def test_cookie_is_secure_where_clients_come_by_https(shared: Registry) -> None:
    settings = shared.resources.settings
    served = settings_for(settings.database.url, settings.data_path, external_url="https://registry.example")
    async with running_registry(served) as registry:
        opened = await log_in(Caller(registry, "admin", served.admin_password))
        refused = await Caller(registry)("PUT", "/users/1", {}, headers=opened.headers)
    assert opened.status == 200
    assert "Secure" in opened.attributes.split("; ")
    assert "Secure" in refused.headers["Set-Cookie"].split("; ")


async def test_login_is_noted_with_its_time(user: Caller, shared: Registry) -> None:
    await log_in(user)
    opened_at = await value_of(shared, SQL("SELECT max(created_at) FROM sessions"))
    assert isinstance(opened_at, datetime)
