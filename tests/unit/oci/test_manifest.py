"""The parser of manifests: what it reads, and that nothing makes it fail in another way than by an answer."""

import json
from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.oci.digest import Digest
from app.oci.errors import DigestInvalid, ManifestInvalid, OciError
from app.oci.manifest import parse_manifest
from app.oci.media_types import ACCEPTED, DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST

FOREIGN: Final = "application/vnd.oci.image.layer.nondistributable.v1.tar"


def descriptor(content: bytes, media_type: str = "application/x-a") -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(Digest.of(content)), "size": len(content)}


def image(**changes: Any) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(b"config"),
        "layers": [descriptor(b"one"), descriptor(b"two", FOREIGN)],
        **changes,
    }


def index(**changes: Any) -> dict[str, Any]:
    manifests = [descriptor(b"child", OCI_MANIFEST)]
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests, **changes}


def encode(document: object) -> bytes:
    return json.dumps(document).encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=8,
)
fields = st.sampled_from(
    ["schemaVersion", "mediaType", "config", "layers", "manifests", "subject", "annotations", "artifactType"]
)
content_types = st.sampled_from([*sorted(ACCEPTED), ""]) | st.text(max_size=30)


def parse_or_refuse(content: bytes, content_type: str) -> None:
    with suppress(OciError):
        manifest = parse_manifest(content, content_type)
        assert manifest.media_type in ACCEPTED


@settings(deadline=None)
@given(st.binary(), content_types)
def test_any_bytes_are_read_or_refused(content: bytes, content_type: str) -> None:
    parse_or_refuse(content, content_type)


@settings(deadline=None)
@given(json_values, content_types)
def test_any_json_is_read_or_refused(document: object, content_type: str) -> None:
    parse_or_refuse(encode(document), content_type)


@settings(deadline=None)
@given(st.sampled_from([image(), index()]), st.dictionaries(fields, json_values, min_size=1, max_size=3))
def test_a_manifest_with_any_fields_is_read_or_refused(good: dict[str, Any], odd: dict[str, Any]) -> None:
    parse_or_refuse(encode({**good, **odd}), good["mediaType"])


@settings(deadline=None)
@given(st.sampled_from(["mediaType", "digest", "size"]), json_values)
def test_any_descriptor_is_read_or_refused(name: str, value: object) -> None:
    parse_or_refuse(encode(image(config={**descriptor(b""), name: value})), OCI_MANIFEST)


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_an_image_names_its_blobs(media_type: str) -> None:
    manifest = parse_manifest(encode(image(mediaType=media_type)), media_type)
    assert not manifest.is_index
    assert [blob.digest for blob in manifest.blobs] == [Digest.of(b) for b in (b"config", b"one", b"two")]
    assert manifest.required_blobs == {Digest.of(b"config"), Digest.of(b"one")}
    assert manifest.artifact_type == "application/x-a"


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_an_index_names_its_children(media_type: str) -> None:
    manifest = parse_manifest(encode(index(mediaType=media_type)), f"{media_type}; charset=utf-8")
    assert manifest.is_index
    assert [child.digest for child in manifest.children] == [Digest.of(b"child")]
    assert manifest.blobs == ()
    assert manifest.artifact_type is None


def test_a_referrer_says_to_what_and_what_it_is() -> None:
    document = image(subject=descriptor(b"it", OCI_MANIFEST), artifactType="a/b", annotations={"k": "v"})
    manifest = parse_manifest(encode(document), "")
    assert manifest.subject is not None
    assert manifest.subject.digest == Digest.of(b"it")
    assert (manifest.artifact_type, manifest.annotations) == ("a/b", {"k": "v"})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"a":1,"a":1}', "same key twice"),
        (b'{"a":{"b":1,"\\u0062":2}}', "same key twice"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":-Infinity}', "-Infinity is not JSON"),
        (b'{"a":' + b"9" * 10_000 + b"}", "not JSON"),
        (b"[" * 10_000 + b"]" * 10_000, "nested too deep"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested too deep"),
        (b"[" * 10_000, "nested too deep"),
    ],
    ids=lambda value: str(value[:12]),
)
def test_what_is_no_plain_json_object_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ManifestInvalid) as refused:
        parse_manifest(content, OCI_MANIFEST)
    assert reason in str(refused.value.detail)


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        (image(), OCI_INDEX),
        (image(), DOCKER_MANIFEST),
        (image(mediaType=None), ""),
        (image(mediaType=None), "application/json"),
        (image(mediaType=7), OCI_MANIFEST),
        (image(mediaType=OCI_MANIFEST.upper()), ""),
        (image(mediaType=f"{OCI_MANIFEST} "), OCI_MANIFEST),
        (image(mediaType="application/vnd.docker.distribution.manifest.v1+json"), ""),
        (image(mediaType=OCI_INDEX), OCI_INDEX),
        (index(mediaType=OCI_MANIFEST), OCI_MANIFEST),
        (index(config=descriptor(b"")), OCI_INDEX),
        (index(layers=[]), OCI_INDEX),
        (image(schemaVersion=1), OCI_MANIFEST),
        (image(schemaVersion="2"), OCI_MANIFEST),
        (image(layers={}), OCI_MANIFEST),
        (image(layers=[None]), OCI_MANIFEST),
        (image(config=None), OCI_MANIFEST),
        (image(config={**descriptor(b""), "size": -1}), OCI_MANIFEST),
        (image(config={**descriptor(b""), "size": True}), OCI_MANIFEST),
        (image(config={**descriptor(b""), "size": 1.5}), OCI_MANIFEST),
        (image(config={**descriptor(b""), "size": 2**63}), OCI_MANIFEST),
        (image(annotations={"a": 1}), OCI_MANIFEST),
        (image(annotations=[]), OCI_MANIFEST),
        (image(artifactType="a\nb"), OCI_MANIFEST),
        (image(artifactType="a" * 256), OCI_MANIFEST),
        (image(subject="sha256"), OCI_MANIFEST),
    ],
)
def test_what_contradicts_the_schema_is_refused(document: dict[str, Any], content_type: str) -> None:
    with pytest.raises(ManifestInvalid) as refused:
        parse_manifest(encode(document), content_type)
    assert refused.value.detail


def test_a_wrong_digest_is_named_with_its_place() -> None:
    document = image(layers=[descriptor(b""), {**descriptor(b""), "digest": "sha256:beef"}])
    with pytest.raises(DigestInvalid) as refused:
        parse_manifest(encode(document), OCI_MANIFEST)
    assert refused.value.detail == "layers[1]: sha256:beef"
