"""Which blobs there are, for those who do not pull them one by one."""

from app.blobs import store
from app.oci.digest import Digest
from app.resources import Resources


async def find_sizes(r: Resources, digests: list[Digest], *, repository: str | None) -> dict[str, int]:
    """Return the sizes in bytes of those blobs that a repository has, or (None) any repository."""
    async with r.database.autocommit() as statements:
        return dict(await store.list_sizes(statements, digests, repository=repository))
