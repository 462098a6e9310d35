"""Uploads in pieces: how many there are, and what a session remembers of them."""

import pytest

from app.oci.digest import Digest
from app.storage import StorageError
from app.storage.parts import part_size
from app.storage.pieces import Piece, Upload, blob_upload, made_at, new_piece, upload_of

MEBIBYTE = 1 << 20
MOST_BLOCKS = 50_000


def written(upload: Upload, length: int, least: int) -> Upload:
    """The upload after one more chunk, as `PieceWriter` leaves it."""
    pieces = upload.cut(upload.size, least)
    stored = sum(piece.size for piece in pieces)
    left = upload.size + length - stored
    while left:
        size = min(part_size(stored, least), left)
        pieces = (*pieces, new_piece(size))
        stored, left = stored + size, left - size
    return Upload("u", pieces)


@pytest.mark.parametrize("chunk", [1, 100, 333, 334, 499, 500, 501, 999, 1000, 1001])
def test_chunks_of_any_size_make_few_pieces(chunk: int) -> None:
    least, upload = 1000, Upload()
    for count in range(1, 500):
        upload = written(upload, chunk, least)
        assert upload.size == count * chunk
        assert len(upload.pieces) <= 4 * (upload.size // least + 1)


def test_five_tebibytes_are_fewer_pieces_than_azure_takes_blocks() -> None:
    stored = parts = 0
    while stored < 5 << 40:
        stored += part_size(stored, 5 * MEBIBYTE)
        parts += 1
    assert 4 * parts < MOST_BLOCKS


@pytest.mark.parametrize(
    ("offset", "kept"), [(0, ""), (1, ""), (4000, "a"), (4001, "a"), (7999, "a"), (8000, "ab"), (8500, "ab")]
)
def test_what_ends_before_the_offset_stays(offset: int, kept: str) -> None:
    upload = Upload("u", (Piece("a", 4000), Piece("b", 4000), Piece("c", 600)))
    assert "".join(piece.name for piece in upload.cut(offset, 1000)) == kept


def test_what_a_session_remembers_is_what_there_was() -> None:
    upload = Upload("u", (Piece("a", 3), Piece("b", 4)))
    assert upload_of(upload.state) == upload
    blob = blob_upload(Digest.of(b"abc"), 3)
    assert upload_of(blob.state) == blob
    assert blob.size == 3
    assert all(isinstance(value, str) for value in {**upload.state, **blob.state}.values())
    assert upload_of({}) == Upload()
    assert Upload().state == {}


def test_an_upload_of_another_driver_is_not_taken_for_one_without_bytes() -> None:
    with pytest.raises(StorageError, match="file"):
        upload_of({"file": "7d0c"})


def test_pieces_say_when_they_were_made() -> None:
    first, second = new_piece(1), new_piece(1)
    assert first.name != second.name
    assert len(first.name) == len(second.name)
    assert 0 <= made_at(second.name) - made_at(first.name) <= 60
