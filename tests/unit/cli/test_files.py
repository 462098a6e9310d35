"""How many files a process allows itself."""

import resource
from collections.abc import Iterator

import pytest

from cli.files import allow_files


@pytest.fixture(autouse=True)
def limits() -> Iterator[tuple[int, int]]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_process_takes_what_it_is_given_within_reason(limits: tuple[int, int]) -> None:
    hard = limits[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    allow_files()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(hard, 16_384), hard)


def test_nothing_is_taken_away(limits: tuple[int, int]) -> None:
    hard = limits[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    allow_files()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(hard, 20_000), hard)
