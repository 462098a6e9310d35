"""What callers are, remembered for as long as nobody's rights change.

A standing takes a statement over six tables. It is remembered with the number that every change of anybody's
rights raises (`access_epoch`), and whether the number is still the same is proved in front of the first
statement that the request runs (`app.db.precondition`): who loses a right loses it at the next request.
"""

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Final, TypeAlias

from app.access import Actor, Standing
from app.access.routing import ProjectKey
from app.auth import store
from app.db import Check, Database

_REMEMBERED: Final = 10_000

_Key: TypeAlias = tuple[int | None, int | None, int | None, int, str]


class Standings:
    """The standings that one process has looked up."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[_Key, tuple[int, Standing]] = OrderedDict()

    def find(self, actor: Actor, project: ProjectKey) -> tuple[Standing, Check] | None:
        """Return what the caller was a moment ago, and the check that it still is."""
        known = self._known.get(_key(actor, project))
        if known is None or _is_over(known[1]):
            return None
        epoch, standing = known
        return standing, Check(store.CHECK_EPOCH, (epoch,))

    async def get(self, actor: Actor, project: ProjectKey) -> Standing:
        """Return what the caller is now, in the installation and in the project."""
        found = await store.get_standing(
            self._database, actor, project_id=project.id, project_name=project.name
        )
        key = _key(actor, project)
        self._known[key] = found
        self._known.move_to_end(key)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return found[1]


def _key(actor: Actor, project: ProjectKey) -> _Key:
    return actor.user_id, actor.robot_id, actor.credential_version, project.id, project.name


def _is_over(standing: Standing) -> bool:
    return standing.expires_at is not None and standing.expires_at <= datetime.now(UTC)
