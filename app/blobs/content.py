"""Reading blobs that are small enough to be held in memory."""

from app.oci.digest import Digest
from app.resources import Resources


async def read_small(r: Resources, digest: Digest, size_bytes: int) -> bytes | None:
    """Return a blob of a size that the caller has limited, or None where it is not in storage."""
    known = r.cache.get(digest)
    if known is not None:
        return known
    try:
        return b"".join([piece async for piece in r.storage.read(digest, 0, size_bytes)])
    except FileNotFoundError:
        return None
