"""Content bytes, durable under the name of their digest."""

from app.storage.cache import ContentCache
from app.storage.driver import (
    Room,
    StorageBusy,
    StorageDriver,
    StorageError,
    StorageFull,
    UploadState,
    UploadWriter,
)
from app.storage.filesystem import FilesystemDriver
from app.storage.hashing import RunningDigest
from app.storage.s3 import S3Driver, open_s3
from app.storage.s3_client import S3Options

__all__ = [
    "ContentCache",
    "FilesystemDriver",
    "Room",
    "RunningDigest",
    "S3Driver",
    "S3Options",
    "StorageBusy",
    "StorageDriver",
    "StorageError",
    "StorageFull",
    "UploadState",
    "UploadWriter",
    "open_s3",
]
