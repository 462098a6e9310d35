"""What refers to a manifest (spec.md, "Listing Referrers")."""

from msgspec import Struct

from app.http import Page
from app.manifests import store
from app.manifests.model import WantedReferrers
from app.oci.digest import Digest
from app.oci.media_types import OCI_INDEX
from app.oci.names import RepositoryName
from app.resources import Resources


class Referrers(Struct, frozen=True):
    """A page of referrers as an image index, and the digest it ends with where more follow."""

    index: dict[str, object]
    last: str | None


async def find(
    r: Resources, repository: RepositoryName, subject: Digest, *, artifact_type: str | None, page: Page
) -> Referrers:
    """Return the manifests whose subject is `subject`; none where there is no such repository.

    A page is an index that clients take as a manifest, so it keeps to the size of one.
    """
    wanted = WantedReferrers(
        subject=subject,
        artifact_type=artifact_type,
        last=page.last,
        limit=page.limit,
        limit_bytes=r.settings.manifests.max_bytes,
    )
    async with r.database.autocommit() as statements:
        found = await store.list_referrers(statements, repository, wanted)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry.descriptor() for entry in found]}
    return Referrers(index=index, last=found[-1].digest if found and found[-1].has_more else None)
