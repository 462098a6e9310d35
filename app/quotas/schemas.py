"""Quotas as JSON (Harbor's Quota, QuotaUpdateReq)."""

from datetime import datetime
from typing import Annotated, Self

from msgspec import Meta, Struct

from app.quotas.model import MAX_HARD_BYTES, UNLIMITED, ProjectQuota


class ResourceList(Struct, frozen=True):
    """Amounts by resource: there is only storage, in bytes; as a limit -1 stands for none."""

    storage: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class QuotaRefObject(Struct, frozen=True):
    """The project that a quota is of."""

    id: int
    name: str
    owner_name: str


class Quota(Struct, frozen=True):
    """How much a project may use, and how much it uses."""

    id: int
    ref: QuotaRefObject
    hard: ResourceList
    used: ResourceList
    creation_time: datetime
    update_time: datetime

    @classmethod
    def of(cls, quota: ProjectQuota) -> Self:
        """Return a quota as clients see it; it has the id of its project."""
        return cls(
            id=quota.project_id,
            ref=QuotaRefObject(quota.project_id, quota.project_name, quota.owner_name),
            hard=ResourceList(quota.hard_bytes),
            used=ResourceList(quota.used_bytes),
            creation_time=quota.created_at,
            update_time=quota.updated_at,
        )


class QuotaLimit(Struct, frozen=True):
    """A limit in bytes."""

    storage: Annotated[
        int, Meta(ge=UNLIMITED, le=MAX_HARD_BYTES, description="-1 is without limit, 0 is none.")
    ]


class QuotaUpdateReq(Struct, frozen=True):
    """The limit to set instead."""

    hard: QuotaLimit
