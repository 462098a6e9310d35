"""What robots can be given, for those who make robots."""

from app.access import Actor, Standing
from app.access.robots import GRANTABLE_ON_PROJECTS, GRANTABLE_ON_SYSTEM
from app.harbor.errors import Forbidden
from app.resources import Resources
from app.system import store
from app.system.schemas import PermissionAnswer, Permissions


async def list_grantable(r: Resources, actor: Actor, standing: Standing) -> Permissions:
    """Return what the caller could give a robot; raise Forbidden for who administers nothing."""
    on_projects = PermissionAnswer.of(GRANTABLE_ON_PROJECTS)
    if standing.is_sysadmin:
        return Permissions(on_projects, PermissionAnswer.of(GRANTABLE_ON_SYSTEM))
    async with r.database.autocommit() as statements:
        if actor.user_id is None or await store.find_administered(statements, actor.user_id) is None:
            raise Forbidden("only administrators, of the system or of a project, make robots")
    return Permissions(on_projects)
