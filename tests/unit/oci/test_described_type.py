"""What kind of artifact a manifest is, by its config's media type or by annotations."""

import json

import pytest

from app.oci.manifest import parse_manifest
from app.oci.media_types import OCI_INDEX, OCI_MANIFEST, WASM_CONFIG

DIGEST = "sha256:" + "a" * 64


def manifest(config: str, **annotations: str) -> bytes:
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": "application/x",
            "config": {"mediaType": config, "digest": DIGEST, "size": 7},
            "layers": [{"mediaType": "text/plain", "digest": DIGEST, "size": 5}] * 2,
            "annotations": annotations,
        }
    ).encode()


def test_config_says_what_it_is_and_descriptors_how_large() -> None:
    parsed = parse_manifest(manifest("application/vnd.cncf.helm.config.v1+json"), "")
    assert parsed.described_type == "application/vnd.cncf.helm.config.v1+json"
    assert parsed.content_size_bytes == 17


def test_annotation_makes_it_wasm() -> None:
    annotated = manifest("text/x", **{"module.wasm.image/variant": "compat"})
    assert parse_manifest(annotated, "").described_type == WASM_CONFIG


def test_index_is_described_by_its_annotation_or_its_own_type() -> None:
    index: dict[str, object] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    assert parse_manifest(json.dumps(index).encode(), "").described_type == OCI_INDEX
    index["annotations"] = {"org.opencontainers.artifactType": "application/vnd.cnab.manifest.v1"}
    assert parse_manifest(json.dumps(index).encode(), "").described_type == "application/vnd.cnab.manifest.v1"


@pytest.mark.parametrize("config", ["a\0b", "\ud800", "x" * 256])
def test_what_is_no_media_type_describes_nothing(config: str) -> None:
    assert parse_manifest(manifest(config), "").described_type == ""


def test_sizes_beyond_what_a_database_counts_are_cut() -> None:
    largest = manifest("text/x").replace(b'"size": 5', b'"size": 9223372036854775807')
    assert parse_manifest(largest, "").content_size_bytes == 2**63 - 1
