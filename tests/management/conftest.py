"""One registry for all tests of the management API: each has users and projects of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

import pytest

from app.access import Role
from app.events import Cause
from app.members.assign import assign_role
from app.projects.create import create_project
from tests.conformance.serving import settings_for
from tests.management.client import PASSWORD, Caller, unique
from tests.support.accounts import make_account
from tests.support.registry import Registry, running_registry
from tests.support.servers import Databases

MakeUser: TypeAlias = Callable[..., Awaitable[Caller]]


@dataclass(frozen=True)
class Project:
    id: int
    name: str

    @property
    def path(self) -> str:
        return f"/projects/{self.id}"


@pytest.fixture(scope="session")
async def shared(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Registry]:
    with databases.fresh(migrated=True) as url:
        async with running_registry(settings_for(url, tmp_path_factory.mktemp("management"))) as running:
            yield running


@pytest.fixture
def admin(shared: Registry) -> Caller:
    return Caller(shared, "admin", shared.resources.settings.admin_password)


@pytest.fixture
def stranger(shared: Registry) -> Caller:
    """Nobody is known to be behind the request."""
    return Caller(shared)


@pytest.fixture
async def project(shared: Registry) -> Project:
    """A private project of its own, owned by nobody."""
    return await make_project(shared, is_public=False)


@pytest.fixture
async def public_project(shared: Registry) -> Project:
    return await make_project(shared, is_public=True)


async def make_project(registry: Registry, *, is_public: bool) -> Project:
    name = unique("project")
    async with registry.resources.database.transaction() as tx:
        made = await create_project(tx, name, Cause(username="tests"), is_public=is_public)
    return Project(made, name)


@pytest.fixture
def make_user(shared: Registry, project: Project) -> MakeUser:
    """`await make_user()` is in no project, `await make_user(Role.GUEST)` is a member of `project`."""

    async def make(role: Role | None = None, *, name: str = "") -> Caller:
        username = name or unique("user")
        async with shared.resources.database.transaction() as tx:
            await make_account(tx, username, PASSWORD)
            if role is not None:
                await assign_role(tx, project.name, username, role=role)
        return Caller(shared, username, PASSWORD)

    return make
