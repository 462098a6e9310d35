"""A registry on a loopback port, in the process of the test, on real servers."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession, encode_basic_auth, web

from app.bootstrap import bootstrap
from app.main import runner_of
from app.resources import Resources, open_resources
from app.settings import Settings
from app.users.create import ADMIN
from app.users.store import find_user
from tests.support.accounts import make_account


@dataclass(frozen=True)
class Registry:
    url: str
    session: ClientSession
    basic: dict[str, str]
    resources: Resources

    async def token(self, *scopes: str, auth: dict[str, str] | None = None) -> str:
        """A bearer token for the scopes, of the administrator unless somebody else logs in."""
        query = [("service", "roadstead"), *(("scope", scope) for scope in scopes)]
        url = f"{self.url}/service/token"
        async with self.session.get(url, params=query, headers=auth or self.basic) as answer:
            assert answer.status == 200, await answer.text()
            return str((await answer.json())["token"])


@asynccontextmanager
async def running_registry(
    settings: Settings, changed: Callable[[Resources], Resources] = lambda r: r
) -> AsyncIterator[Registry]:
    async with open_resources(settings) as opened, ClientSession() as session:
        r = changed(opened)
        async with r.database.transaction() as tx:
            if settings.admin_password and await find_user(tx, ADMIN) is None:
                await make_account(tx, ADMIN, settings.admin_password, is_sysadmin=True)
        await bootstrap(r.database, settings.admin_password)
        runner = runner_of(r)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            yield Registry(
                url=f"http://{host}:{port}",
                session=session,
                basic={"Authorization": encode_basic_auth("admin", settings.admin_password)},
                resources=r,
            )
        finally:
            await runner.cleanup()
