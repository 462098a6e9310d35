"""A project whose count is compared with what its repositories hold."""

from dataclasses import dataclass

from app.db import SQL
from app.events import Cause
from app.projects.create import create_project
from tests.conformance.client import Repository, bearer
from tests.management.client import unique
from tests.support.registry import Registry

# From the content itself: nothing that a push keeps for the count is asked.
RECOUNT = SQL("""
    SELECT coalesce(sum(size_bytes), 0)::bigint FROM (
        SELECT DISTINCT used.digest, used.size_bytes
        FROM repositories r JOIN manifests m ON m.repository_id = r.id
        CROSS JOIN LATERAL (
            SELECT m.digest, length(m.payload)::bigint AS size_bytes
            UNION ALL
            SELECT b.digest, b.size_bytes FROM manifest_blobs l JOIN blobs b USING (digest)
            WHERE l.manifest_id = m.id
        ) used
        WHERE r.project_id = %(id)s
    ) counted
""")
USED = SQL("SELECT used_bytes FROM quotas WHERE project_id = %(id)s")
KEPT = SQL("SELECT coalesce(sum(size_bytes), 0)::bigint FROM project_blobs WHERE project_id = %(id)s")
LIMIT = SQL("UPDATE quotas SET hard_bytes = %(hard)s WHERE project_id = %(id)s")


@dataclass(frozen=True)
class Counted:
    registry: Registry
    id: int
    name: str

    async def open(self, *paths: str) -> list[Repository]:
        """Repositories of the project, each with the right to mount from all."""
        names = [f"{self.name}/{path}" for path in paths]
        token = await self.registry.token(*(f"repository:{name}:pull,push,delete" for name in names))
        return [Repository(self.registry, name, bearer(token)) for name in names]

    async def limit(self, hard_bytes: int) -> None:
        async with self.registry.resources.database.transaction() as tx:
            assert await tx.run(LIMIT, id=self.id, hard=hard_bytes) == 1

    async def used(self) -> int:
        """What is counted, after checking that it is the sum of what is there."""
        async with self.registry.resources.database.autocommit() as statements:
            used = await statements.value(USED, id=self.id)
            assert used == await statements.value(RECOUNT, id=self.id)
            assert used == await statements.value(KEPT, id=self.id)
            return int(used)


async def counted_project(registry: Registry) -> Counted:
    name = unique("project")
    async with registry.resources.database.transaction() as tx:
        return Counted(registry, await create_project(tx, name, Cause(username="tests")), name)
