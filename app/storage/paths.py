"""The key tree of every driver.

blobs/sha256/a3/f2/a3f2b8c9...   content, by digest
uploads/7d0c...                  bytes of upload sessions
"""

from app.oci.digest import Digest
from app.oci.errors import DigestInvalid


def blob_key(digest: Digest) -> str:
    """Return the key of a blob."""
    encoded = digest.encoded
    return f"blobs/{digest.algorithm}/{encoded[:2]}/{encoded[2:4]}/{encoded}"


def upload_key(name: str) -> str:
    """Return the key of an upload's bytes."""
    return f"uploads/{name}"


def digest_of(key: str) -> Digest:
    """Return the digest of the blob that a key is of; raise DigestInvalid."""
    match key.split("/"):
        case ["blobs", algorithm, _, _, encoded]:
            return Digest.parse(f"{algorithm}:{encoded}")
    raise DigestInvalid(key)
