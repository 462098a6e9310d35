"""Where storage servers keep content, in the words of a registry's settings."""

import os
from typing import Final, Protocol

import pytest

from tests.support import azurite


class Place(Protocol):
    """A bucket, or a part of one."""

    @property
    def settings(self) -> dict[str, str]:
        """What a registry on it is told, by the names of `tests.conformance.serving`."""

    @property
    def endpoint(self) -> str:
        """The URL of its server."""

    def by(self, endpoint: str) -> "Place":
        """Return the same by another way."""

    def below(self, prefix: str) -> "Place":
        """Return the part of it below a prefix."""


_FIXTURES: Final = {"s3": "bucket", "azure": "azure_bucket", "gcs": "gcs_bucket"}
ALL_BUCKETS: Final = tuple(_FIXTURES)
"""The drivers that keep content in buckets."""

BUCKETS: Final = [
    driver
    for driver in ALL_BUCKETS
    if driver != "azure" or azurite.IS_THERE or os.environ.get("REQUIRE_CLIENTS") == "1"
]
"""The drivers whose servers are here; .ci/run requires all."""


def place_of(request: pytest.FixtureRequest, driver: str) -> Place:
    """Return a bucket that the driver can use."""
    place: Place = request.getfixturevalue(_FIXTURES[driver])
    return place


def chosen_place(request: pytest.FixtureRequest, part: str) -> dict[str, str]:
    """Return what a registry is told that keeps content as ROADSTEAD_TEST_STORAGE says; default: in files."""
    driver = os.environ.get("ROADSTEAD_TEST_STORAGE", "filesystem")
    return {} if driver == "filesystem" else place_of(request, driver).below(part).settings
