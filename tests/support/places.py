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

    def below(self, prefix: str) -> "Place":
        """Return the part of it below a prefix."""


_FIXTURES: Final = {"s3": "bucket", "azure": "azure_bucket", "gcs": "gcs_bucket"}
_IS_AZURITE_REQUIRED: Final = os.environ.get("REQUIRE_CLIENTS") == "1"
BUCKETS: Final = ["s3", *(["azure"] if azurite.IS_THERE or _IS_AZURITE_REQUIRED else [])]
"""The drivers whose servers are here; .ci/run requires all."""


def place_of(request: pytest.FixtureRequest, driver: str) -> Place:
    """Return a bucket that the driver can use."""
    place: Place = request.getfixturevalue(_FIXTURES[driver])
    return place
