"""What callers are, remembered for as long as nobody's rights change.

A standing takes a statement over six tables; whether any right changed anywhere since it was looked up takes
one number, which all requests that are waiting share. So every request is still judged by what PostgreSQL
says after it arrived: who loses a right loses it at the next request.
"""

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Final, TypeAlias

from app.access import Actor, Standing
from app.access.routing import ProjectKey
from app.auth import store
from app.db import Database

_REMEMBERED: Final = 10_000

_Key: TypeAlias = tuple[int | None, int | None, int, str]


class Standings:
    """The standings that one process has looked up."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[_Key, tuple[int, Standing]] = OrderedDict()

    async def get(self, actor: Actor, project: ProjectKey) -> Standing:
        """Return what the caller is now, in the installation and in the project."""
        # The number comes first: what changes from here on makes what is looked up next outdated.
        epoch = await store.get_epoch(self._database)
        key = (actor.user_id, actor.robot_id, project.id, project.name)
        known = self._known.get(key)
        if known is not None and known[0] == epoch and not _is_over(known[1]):
            return known[1]
        standing = await store.get_standing(
            self._database, actor.user_id, actor.robot_id, project_id=project.id, project_name=project.name
        )
        self._known[key] = epoch, standing
        self._known.move_to_end(key)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return standing


def _is_over(standing: Standing) -> bool:
    return standing.expires_at is not None and standing.expires_at <= datetime.now(UTC)
