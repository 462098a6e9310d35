"""The Range header against a model that tries every byte."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.http.ranges import Span, parse_range
from app.oci.errors import RangeInvalid

sizes = st.integers(0, 12)
positions = st.none() | st.integers(0, 15)
blanks = st.sampled_from(["", " ", "\t"])


def asked_for(first: int | None, last: int | None, size: int) -> list[int]:
    """Look at every byte of the content."""
    if first is None:
        return [i for i in range(size) if i >= size - (last or 0)]
    return [i for i in range(size) if i >= first and (last is None or i <= last)]


def written(position: int | None) -> str:
    return "" if position is None else str(position)


@settings(deadline=None)
@given(positions, positions, sizes, blanks, st.sampled_from(["", "0", "0" * 30]))
def test_one_range_is_what_the_model_finds(
    first: int | None, last: int | None, size: int, blank: str, zeros: str
) -> None:
    start = written(first) if first is None else zeros + written(first)
    header = f"bytes={blank}{start}-{written(last)}{blank}"
    if first is last is None:
        assert parse_range(header, size) is None
    elif expected := asked_for(first, last, size):
        span = parse_range(header, size)
        assert span is not None
        assert list(range(span.start, span.stop)) == expected
        assert span.length == len(expected)
        assert span.content_range == f"bytes {expected[0]}-{expected[-1]}/{size}"
    else:
        with pytest.raises(RangeInvalid) as refused:
            parse_range(header, size)
        assert refused.value.headers == {"Content-Range": f"bytes */{size}"}


@settings(deadline=None)
@given(st.text() | st.text(alphabet="bytes=0123456789-, \t"), sizes)
def test_any_header_is_a_part_the_whole_or_refused(header: str, size: int) -> None:
    with suppress(RangeInvalid):
        span = parse_range(header, size)
        assert span is None or 0 <= span.start < span.stop <= size


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=0-1,3-4",
        "items=0-1",
        "bytes=a-b",
        "bytes=0 - 1",
        "bytes=\u0661-\u0662",
        "bytes=+1-2",
        "bytes=--1",
        "bytes=0-1\n",
    ],
)
def test_what_is_not_one_range_of_bytes_means_the_whole(header: str | None) -> None:
    assert parse_range(header, 10) is None


def test_numbers_of_any_length_are_read_at_once() -> None:
    nines = "9" * 100_000
    assert parse_range(f"bytes=1-{nines}", 10) == Span(start=1, stop=10, size=10)
    assert parse_range(f"bytes=-{nines}", 10) == Span(start=0, stop=10, size=10)
    with pytest.raises(RangeInvalid):
        parse_range(f"bytes={nines}-", 10)
