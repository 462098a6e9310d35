"""Seeing quotas and setting their limits."""

from app.db import Page
from app.events import Cause, QuotaUpdated, outbox
from app.harbor.errors import BadRequest, NotFound
from app.harbor.query import ListQuery
from app.quotas import store
from app.quotas.model import ProjectQuota, is_valid_hard
from app.resources import Resources

_NO_QUOTA = "there is no such quota"


async def list_quotas(r: Resources, query: ListQuery) -> Page[ProjectQuota]:
    """Return a page of all quotas."""
    async with r.database.autocommit() as statements:
        return await store.QUOTAS.page(statements, query)


async def get_quota(r: Resources, project_id: int) -> ProjectQuota:
    """Return the quota of a project; raise NotFound."""
    async with r.database.autocommit() as statements:
        quota = await store.find_quota(statements, project_id)
    if quota is None:
        raise NotFound(_NO_QUOTA)
    return quota


async def set_limit(r: Resources, project_id: int, cause: Cause, *, hard_bytes: int) -> None:
    """Limit what a project may use; below what it uses already, it keeps that and can add nothing.

    Raises:
        BadRequest: it is no limit.
        NotFound: there is no such quota.
    """
    if not is_valid_hard(hard_bytes):
        raise BadRequest("hard.storage: a limit is 1 byte to 1024 TiB, or -1 for none")
    async with r.database.transaction() as tx:
        name = await store.update_hard(tx, project_id, hard_bytes=hard_bytes)
        if name is None:
            raise NotFound(_NO_QUOTA)
        event = QuotaUpdated(name=name, project_name=name, hard_bytes=hard_bytes)
        await outbox.record(tx, cause, event)
