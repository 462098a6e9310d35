"""Content bytes, durable under the name of their digest."""

from app.storage.cache import ContentCache
from app.storage.choose import open_storage
from app.storage.direct import LARGEST_BLOB
from app.storage.driver import (
    CredentialsMissing,
    CredentialsRefused,
    DirectPart,
    DirectUploads,
    Frozen,
    Inflow,
    Room,
    SignedPut,
    StorageBusy,
    StorageDriver,
    StorageError,
    StorageFull,
    UploadState,
    UploadWriter,
)
from app.storage.filesystem import FilesystemDriver
from app.storage.filesystem_direct import PARTS_PATH, AskedPart, FileDirectUploads
from app.storage.hashing import RunningDigest
from app.storage.signed import SignedUrl, SignedUrls, Wanted
from app.storage.url_signer import UrlSigner
from app.storage.watch import StorageWatch, watched

__all__ = [
    "LARGEST_BLOB",
    "PARTS_PATH",
    "AskedPart",
    "ContentCache",
    "CredentialsMissing",
    "CredentialsRefused",
    "DirectPart",
    "DirectUploads",
    "FileDirectUploads",
    "FilesystemDriver",
    "Frozen",
    "Inflow",
    "Room",
    "RunningDigest",
    "SignedPut",
    "SignedUrl",
    "SignedUrls",
    "StorageBusy",
    "StorageDriver",
    "StorageError",
    "StorageFull",
    "StorageWatch",
    "UploadState",
    "UploadWriter",
    "UrlSigner",
    "Wanted",
    "open_storage",
    "watched",
]
