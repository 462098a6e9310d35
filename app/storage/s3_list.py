"""What lies in the bucket, by our own keys."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING

from app.storage.s3_client import Bucket
from app.storage.s3_errors import storage_errors

if TYPE_CHECKING:
    from types_aiobotocore_s3.type_defs import ListMultipartUploadsOutputTypeDef


async def list_keys(bucket: Bucket, below: str) -> AsyncIterator[tuple[str, datetime]]:
    """Yield each object's key, and when it was put."""
    pages = bucket.s3.get_paginator("list_objects_v2").paginate(**bucket.below(below))
    with storage_errors():
        async for page in pages:
            for found in page.get("Contents", []):
                yield bucket.key_of(found["Key"]), found["LastModified"]


async def list_multiparts(bucket: Bucket, before: datetime) -> AsyncIterator[tuple[str, str]]:
    """Yield key and identifier of each multipart upload without a part since then.

    Those of the whole bucket are asked for: MinIO takes a prefix for the key of one object.
    """
    pages = bucket.s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket.name)
    with storage_errors():
        async for page in pages:
            async for found in _idle(bucket, page, before):
                yield found


async def _idle(
    bucket: Bucket, page: "ListMultipartUploadsOutputTypeDef", before: datetime
) -> AsyncIterator[tuple[str, str]]:
    for found in page.get("Uploads", []):
        if not bucket.has(found["Key"]) or found["Initiated"] >= before:
            continue
        key, upload_id = bucket.key_of(found["Key"]), found["UploadId"]
        if await _is_idle(bucket, key, upload_id, before=before):
            yield key, upload_id


async def _is_idle(bucket: Bucket, key: str, upload_id: str, *, before: datetime) -> bool:
    pages = bucket.s3.get_paginator("list_parts").paginate(**bucket.at(key), UploadId=upload_id)
    try:
        with storage_errors():
            return all(
                [part["LastModified"] < before async for page in pages for part in page.get("Parts", [])]
            )
    except FileNotFoundError:
        return False
