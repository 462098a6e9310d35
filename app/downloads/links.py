"""Links to blobs, for clients that download them elsewhere or without credentials."""

from datetime import UTC, datetime, timedelta

from app.access import ProjectCall
from app.blobs.find import find_sizes
from app.downloads.model import Link
from app.downloads.schemas import LONGEST_SECONDS, LinkParams
from app.events import BlobShared, outbox
from app.harbor.errors import BadRequest
from app.oci.digest import Digest
from app.resources import Resources


async def make_links(
    r: Resources, call: ProjectCall, digests: list[Digest], *, wanted: LinkParams
) -> dict[str, Link]:
    """Return a link for each of the blobs that is there, and record who got it; raise BadRequest."""
    if not 1 <= wanted.expires_in <= LONGEST_SECONDS:
        raise BadRequest(f"expires_in: 1 to {LONGEST_SECONDS} seconds, which is 7 days")
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=wanted.expires_in)
    sizes = await find_sizes(r, digests, repository=wanted.repository or None)
    links = {
        str(digest): Link(digest, wanted.repository, expires_at, wanted.presented)
        for digest in digests
        if digest in sizes
    }
    if links:
        async with r.database.transaction() as tx:
            shared = [
                BlobShared(repository_name=wanted.repository, digest=digest, expires_at=expires_at)
                for digest in links
            ]
            await outbox.record(tx, call.cause, *shared)
    return links


async def find_size(r: Resources, link: Link) -> int | None:
    """Return the size in bytes of what a link opens; None where the link is over, or the blob gone."""
    if link.expires_at <= datetime.now(UTC):
        return None
    return (await find_sizes(r, [link.digest], repository=link.repository or None)).get(link.digest)


async def presign(r: Resources, link: Link) -> str | None:
    """Return a URL of the storage that opens the same for as long; None where it cannot sign."""
    chosen = link.presented
    return await r.storage.presign(
        link.digest,
        link.expires_at - datetime.now(UTC),
        content_type=chosen.content_type,
        disposition=chosen.disposition,
    )
