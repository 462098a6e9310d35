"""What the config of an artifact says of it."""

import json

import pytest

from app.oci.config import attributes_of
from app.oci.media_types import DOCKER_CONFIG, OCI_CONFIG

HELM = "application/vnd.cncf.helm.config.v1+json"


@pytest.mark.parametrize("media_type", [OCI_CONFIG, DOCKER_CONFIG])
def test_outline_of_an_image(media_type: str) -> None:
    config = {
        "architecture": "arm64",
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": {"Env": ["A=1"], "Labels": {"maintainer": "somebody"}},
        "rootfs": {"diff_ids": ["sha256:..."]},
        "history": [{"created_by": "COPY"}],
    }
    assert attributes_of(media_type, json.dumps(config).encode()) == {
        "architecture": "arm64",
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "author": "somebody",
        "config": {"Env": ["A=1"], "Labels": {"maintainer": "somebody"}},
    }


def test_author_of_the_image_comes_before_labels() -> None:
    config = {"author": "me", "config": {"Labels": {"maintainer": "somebody"}}}
    attributes = attributes_of(OCI_CONFIG, json.dumps(config).encode())
    assert attributes is not None
    assert attributes["author"] == "me"


def test_other_configs_are_shown_whole() -> None:
    assert attributes_of(HELM, b'{"name": "app", "version": "1.0"}') == {"name": "app", "version": "1.0"}


@pytest.mark.parametrize(
    "content",
    [b"", b"not json", b"[]", b'"text"', b"\xff", b'{"a": "\\ud800"}', b'{"a":' * 100_000, b'{"a": 1e999}'],
)
def test_broken_config_says_nothing(content: bytes) -> None:
    assert attributes_of(OCI_CONFIG, content) is None


@pytest.mark.parametrize("number", ["9" * 30, "9" * 400, "-" + "9" * 5000, "1.5"])
def test_numbers_of_any_size_can_be_stored(number: str) -> None:
    attributes = attributes_of(HELM, b'{"a": %s}' % number.encode())
    assert attributes is None or json.loads(json.dumps(attributes, allow_nan=False))


def test_of_large_configs_only_the_outline_is_kept() -> None:
    config = {"architecture": "amd64", "config": {"Env": ["x" * 100_000]}}
    attributes = attributes_of(OCI_CONFIG, json.dumps(config).encode())
    assert attributes is not None
    assert "config" not in attributes
    assert attributes_of(HELM, json.dumps({"a": "x" * 100_000}).encode()) is None
