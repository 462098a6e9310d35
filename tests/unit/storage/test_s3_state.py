"""What lies in a bucket, told from what others keep there."""

import pytest

from app.oci.digest import Digest
from app.storage.paths import blob_key
from app.storage.s3_state import Upload, parts_key, tail_key, upload_at

DIGEST = Digest.of(b"content")


@pytest.mark.parametrize(
    ("key", "multipart", "upload"),
    [
        (parts_key("name"), "", Upload(parts="name")),
        (parts_key("name"), "id", Upload(parts="name", upload="id")),
        (tail_key("name"), "", Upload(tail="name")),
        (blob_key(DIGEST), "id", Upload(blob=DIGEST, upload="id")),
    ],
)
def test_what_belongs_to_an_upload_is_named_by_its_key(key: str, multipart: str, upload: Upload) -> None:
    assert upload_at(key, multipart) == upload


@pytest.mark.parametrize(
    "key",
    ["backup.tar", "backups/today.tar", "a/b/c/d/e", "uploads/", "uploads/parts/", "uploads/tails/",
     "uploads/7d0c", "uploads/else/7d0c", "blobs/", "blobs/sha256/aa/bb/cc"],
)  # fmt: skip
def test_what_others_keep_in_the_bucket_is_left_alone(key: str) -> None:
    assert upload_at(key, "id") is None
