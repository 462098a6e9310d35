"""Parts that clients sent to S3 more than once: the last one counts, where it can be told."""

from datetime import UTC, datetime, timedelta

import pytest

from app.oci.errors import BlobUploadInvalid
from app.storage import DirectPart
from app.storage.s3_presign import Listed, latest_of, require_latest

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def part(number: int, tag: str, second: int = 0) -> Listed:
    return Listed(DirectPart(number, 1), tag, NOON + timedelta(seconds=second))


def test_the_last_of_each_number_counts() -> None:
    listed = [part(2, "old"), part(1, "only"), part(2, "new", 1)]
    require_latest(listed)
    assert [one.tag for one in latest_of(listed)] == ["only", "new"]


def test_the_same_bytes_may_come_twice_in_a_second() -> None:
    require_latest([part(1, "same"), part(1, "same"), part(1, "earlier", -1)])


def test_other_bytes_in_the_same_second_are_asked_for_again() -> None:
    listed = [part(1, "one"), part(2, "one"), part(2, "other")]
    with pytest.raises(BlobUploadInvalid) as refused:
        require_latest(listed)
    assert "part 2 came twice" in str(refused.value.detail)
    require_latest([*listed, part(2, "once more", 1)])
