"""The parts of an upload to S3: how large they are, and what a session remembers of them."""

import pytest

from app.storage import StorageError
from app.storage.parts import part_size
from app.storage.s3_state import Upload, upload_of

MEBIBYTE = 1 << 20
TEBIBYTE = 1 << 40
MOST_PARTS = 10_000
LARGEST_PART = 5 << 30


@pytest.mark.parametrize("least", [5 * MEBIBYTE, 8 * MEBIBYTE, 1 << 30])
def test_five_tebibytes_fit_into_the_parts_that_s3_takes(least: int) -> None:
    stored = parts = largest = 0
    while stored < 5 * TEBIBYTE:
        largest = part_size(stored, least)
        stored += largest
        parts += 1
    assert parts < MOST_PARTS
    assert largest < LARGEST_PART


def test_parts_of_most_blobs_are_as_small_as_they_are_set() -> None:
    assert {part_size(stored << 20, 8 * MEBIBYTE) for stored in range(10_000)} == {8 * MEBIBYTE}


def test_what_a_session_remembers_is_what_there_was() -> None:
    upload = Upload(parts="p", upload="u", etags='"a" "b"', stored=3, tail="t", tail_bytes=4, before="s")
    assert upload_of(upload.state) == upload
    assert all(isinstance(value, str) for value in upload.state.values())
    assert upload_of({}) == Upload()
    assert Upload().state == {}


def test_an_upload_of_another_driver_is_not_taken_for_one_without_bytes() -> None:
    with pytest.raises(StorageError, match="file"):
        upload_of({"file": "7d0c"})
