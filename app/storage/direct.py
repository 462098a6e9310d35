"""What every storage asks of uploads that clients send to it in parts."""

from typing import Final

from app.oci.errors import BlobUploadInvalid
from app.storage.driver import DirectPart

LARGEST_BLOB: Final = 5 << 40
"""In bytes, where a storage has no limit of its own: S3 and Google have just that."""


def require_whole(parts: list[DirectPart], least_bytes: int) -> None:
    """Raise BlobUploadInvalid where there are no parts, one is missing, or one but the last is too small."""
    if not parts:
        raise BlobUploadInvalid(
            "nothing has been uploaded yet; send the bytes to the signed URL, then close it"
        )
    for number, part in enumerate(parts, 1):
        if part.number != number:
            raise BlobUploadInvalid(f"part {number} is missing; send it, then close it again")
        if part.size_bytes < least_bytes and number < len(parts):
            raise BlobUploadInvalid(
                f"part {number} has {part.size_bytes} bytes; all but the last need {least_bytes}"
            )
