"""Links to blobs, for clients that download them elsewhere or without credentials."""

from datetime import UTC, datetime, timedelta

import msgspec

from app.access import ProjectCall
from app.blobs.find import find_sizes
from app.downloads.model import Link
from app.downloads.schemas import LONGEST_SECONDS, LinkParams
from app.events import BlobShared, outbox
from app.harbor.errors import BadRequest
from app.oci.digest import Digest
from app.resources import Resources
from app.storage import Wanted


async def make_links(
    r: Resources, call: ProjectCall, digests: list[Digest], *, wanted: LinkParams
) -> dict[str, Link]:
    """Return a link for each of the blobs that is there, and record who got it; raise BadRequest."""
    if not 1 <= wanted.expires_in <= LONGEST_SECONDS:
        raise BadRequest(f"expires_in: 1 to {LONGEST_SECONDS} seconds, which is 7 days")
    sizes = await find_sizes(r, digests, repository=wanted.repository or None)
    links = {str(digest): await _link(r, digest, wanted) for digest in digests if digest in sizes}
    if links:
        async with r.database.transaction() as tx:
            shared = [
                BlobShared(repository_name=link.repository, digest=link.digest, expires_at=link.expires_at)
                for link in links.values()
            ]
            await outbox.record(tx, call.cause, *shared)
    return links


async def find_size(r: Resources, link: Link) -> int | None:
    """Return the size in bytes of what a link opens; None where the link is over, or the blob gone."""
    if link.expires_at <= datetime.now(UTC):
        return None
    return (await find_sizes(r, [link.digest], repository=link.repository or None)).get(link.digest)


async def _link(r: Resources, digest: Digest, wanted: LinkParams) -> Link:
    lifetime, presented = timedelta(seconds=wanted.expires_in), wanted.presented
    signed = await r.signed.get(Wanted(digest, lifetime, *msgspec.structs.astuple(presented)))
    if signed is not None:
        return Link(digest, wanted.repository, signed.expires_at, presented, elsewhere=signed.url)
    expires_at = datetime.now(UTC).replace(microsecond=0) + lifetime
    return Link(digest, wanted.repository, expires_at, presented)
