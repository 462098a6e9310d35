"""Robot accounts (Harbor's `robot` group)."""

from typing import Final

from aiohttp import web

from app.access import Permission, ProjectCall
from app.access.routing import API, api, require
from app.harbor.errors import NotFound
from app.http.endpoint import Created, Id, Listed, ListParams
from app.resources import resources
from app.robots import accounts
from app.robots.model import Robot
from app.robots.permissions import project_of
from app.robots.schemas import RobotAnswer, RobotCreate, RobotCreated, RobotSecret, RobotUpdate


async def list_robots(request: web.Request, query: ListParams) -> Listed[RobotAnswer]:
    """List the robots of the system, or of a project: `q=Level=project,ProjectID=1`."""
    r, wanted = resources(request), query.list_query()
    call = await _of_project(request, Permission.ROBOT_LIST, project_id=accounts.project_asked_for(wanted))
    page = await accounts.list_robots(r, call, wanted)
    prefix = r.settings.auth.robot_prefix
    return Listed([RobotAnswer.of(robot, prefix) for robot in page.rows], page.total)


async def create_robot(request: web.Request, body: RobotCreate) -> Created[RobotCreated]:
    """Make a robot of the system or of a project.

    A robot of a project has one permission, which names the project. The secret is the one that was sent,
    where it is a good one, else one that is made; it is in the answer and is not shown again.
    """
    r, project_name = resources(request), project_of(body.level, body.permissions)
    call = await _of_project(request, Permission.ROBOT_CREATE, project_name=project_name)
    made = await accounts.create_robot(r, call, body)
    robot = made.robot
    name = accounts.full_name(r, robot.name)
    answer = RobotCreated(robot.id, name, made.secret, robot.created_at, robot.expires_at_second)
    return Created(f"{API}/robots/{robot.id}", answer)


async def get_robot(request: web.Request, robot_id: Id) -> RobotAnswer:
    """Get a robot."""
    robot, _ = await _robot(request, robot_id, Permission.ROBOT_READ)
    return RobotAnswer.of(robot, resources(request).settings.auth.robot_prefix)


async def update_robot(request: web.Request, robot_id: Id, body: RobotUpdate) -> None:
    """Change a robot: everything but its level, its name and its secret."""
    _, call = await _robot(request, robot_id, Permission.ROBOT_UPDATE)
    await accounts.update_robot(resources(request), call, robot_id, wanted=body)


async def refresh_robot_secret(request: web.Request, robot_id: Id, body: RobotSecret) -> RobotSecret:
    """Give a robot another secret; what was made here is in the answer."""
    _, call = await _robot(request, robot_id, Permission.ROBOT_UPDATE)
    secret = await accounts.refresh_secret(resources(request), call, robot_id, given=body.secret)
    return RobotSecret("" if body.secret else secret)


async def delete_robot(request: web.Request, robot_id: Id) -> None:
    """Remove a robot."""
    _, call = await _robot(request, robot_id, Permission.ROBOT_DELETE)
    await accounts.delete_robot(resources(request), call, robot_id)


async def _of_project(
    request: web.Request, permission: Permission, *, project_id: int = 0, project_name: str = ""
) -> ProjectCall:
    """Check a permission on robots of a project, or of the system where none is named."""
    if not project_id and not project_name:
        return await require(request, Permission(f"system/{permission}"))
    call = await require(request, permission, project_id=project_id, project_name=project_name)
    if not call.project_id:
        raise NotFound("there is no such project")
    return call


async def _robot(request: web.Request, robot_id: int, permission: Permission) -> tuple[Robot, ProjectCall]:
    """Return a robot that the caller may do this to; one that is not there looks like one that he may not."""
    robot = await accounts.find_robot(resources(request), robot_id)
    call = await _of_project(request, permission, project_id=(robot and robot.project_id) or 0)
    if robot is None:
        raise NotFound("there is no such robot")
    return robot, call


_ROBOT: Final = "/robots/{robot_id}"
_route = api("robot")

# Which permission it takes depends on whose robot it is: the handlers ask for it.
ROUTES: Final = (
    _route("GET", "/robots", list_robots, permission=Permission.LOGIN, errors=(404,)),
    _route("POST", "/robots", create_robot, permission=Permission.LOGIN, errors=(404, 409)),
    _route("GET", _ROBOT, get_robot, permission=Permission.LOGIN, errors=(404,)),
    _route("PUT", _ROBOT, update_robot, permission=Permission.LOGIN, errors=(404,)),
    _route("PATCH", _ROBOT, refresh_robot_secret, permission=Permission.LOGIN, errors=(404,)),
    _route("DELETE", _ROBOT, delete_robot, permission=Permission.LOGIN, errors=(404,)),
)
