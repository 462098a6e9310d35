"""Manifests that are made to confuse: too deep, ambiguous, huge, or full of what no text should have."""

import json
from typing import Any

import pytest

from tests.conformance.client import Answer, Repository
from tests.conformance.content import (
    CONFIG,
    INDEX,
    LAYER,
    MANIFEST,
    SBOM,
    Content,
    artifact,
    descriptor,
    encode,
    image,
    index,
    unique,
)
from tests.conformance.wire import ask, connect, head


@pytest.fixture
async def ready(repo: Repository) -> Repository:
    """A repository that has the blobs of `image()`, so that only the manifest can be wrong."""
    for blob in image().blobs:
        await repo.push_blob(blob)
    return repo


async def put(repo: Repository, body: bytes, media_type: str = MANIFEST) -> Answer:
    return await repo.send(
        "PUT", "manifests/latest", body, headers={"Content-Type": media_type} if media_type else {}
    )


async def assert_refused(repo: Repository, answer: Answer) -> None:
    assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")
    assert (await repo.head("manifests/latest")).status == 404
    assert (await repo.get("tags/list")).body.count(b"latest") == 0


def spliced(field: bytes) -> bytes:
    """The image manifest with one more field, written by hand."""
    return b"{" + field + b"," + image().body[1:]


DEEP = 10_000


@pytest.mark.parametrize(
    "value",
    [b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b"[" * DEEP, b'[{"a":' * DEEP],
    ids=["lists", "objects", "open-lists", "open-mix"],
)
@pytest.mark.parametrize("place", ["field", "whole"])
async def test_ten_thousand_levels_are_refused(ready: Repository, value: bytes, place: str) -> None:
    await assert_refused(ready, await put(ready, value if place == "whole" else spliced(b'"x":' + value)))


async def test_a_few_levels_are_fine(ready: Repository) -> None:
    assert (await put(ready, spliced(b'"x":' + b"[" * 50 + b"]" * 50))).status == 201


@pytest.mark.parametrize(
    "field",
    [
        b'"schemaVersion":2',
        b'"mediaType":"%b"' % INDEX.encode(),
        b'"config":{}',
        b'"\\u0063onfig":{}',
        b'"layers":[]',
        b'"x":{"y":1,"y":2}',
        b'"annotations":{"a":"1","\\u0061":"2"}',
        b'"x":[{"y":[{"z":1,"z":1}]}]',
    ],
)
async def test_same_key_twice_is_refused(ready: Repository, field: bytes) -> None:
    """Two readers could see two different manifests under one digest."""
    await assert_refused(ready, await put(ready, spliced(field)))


@pytest.mark.parametrize(
    "value", [b"NaN", b"Infinity", b"-Infinity", b"01", b"+1", b"0x1", b".5", b"'a'", b"undefined"]
)
async def test_what_only_some_parsers_take_for_json_is_refused(ready: Repository, value: bytes) -> None:
    await assert_refused(ready, await put(ready, spliced(b'"x":' + value)))


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + image().body,
        image().body.decode().encode("utf-16"),
        image().body.replace(b"amd64", b"amd\xff").replace(LAYER.encode(), b"\xc0\xaf"),
        image().body + b"\x00",
        image().body + image().body,
    ],
    ids=["bom", "utf-16", "no-utf-8", "nul-after", "two-documents"],
)
async def test_what_is_not_one_utf_8_document_is_refused(ready: Repository, body: bytes) -> None:
    await assert_refused(ready, await put(ready, body))


@pytest.mark.parametrize("size", [2**63, 2**64, 10**30, -(2**70), 1e300, True, None])
async def test_size_that_no_content_has_is_refused(ready: Repository, size: Any) -> None:
    config = descriptor(CONFIG, image().blobs[0]) | {"size": size}
    await assert_refused(ready, await put(ready, encode({**image().document, "config": config})))


async def test_integer_of_ten_thousand_digits_is_refused_or_kept(ready: Repository) -> None:
    answer = await put(ready, spliced(b'"x":' + b"9" * 10_000))
    assert answer.status == 201 or (answer.status, answer.code) == (400, "MANIFEST_INVALID")


@pytest.mark.parametrize("media_type", [5, [MANIFEST], {"a": 1}, True, "", "text/html", "x" * 100_000])
@pytest.mark.parametrize("header", [MANIFEST, ""], ids=["with-header", "without-header"])
async def test_media_type_that_is_none_is_refused(ready: Repository, media_type: Any, header: str) -> None:
    answer = await put(ready, encode({**image().document, "mediaType": media_type}), header)
    await assert_refused(ready, answer)
    assert len(answer.body) < 10_000


@pytest.mark.parametrize("text", ["\u0000", "\ud800", "\udfff\ud800", "\U0010ffff", "\u202e", "a" * 100_000])
async def test_odd_text_in_annotations_is_kept_or_refused(ready: Repository, text: str) -> None:
    """NUL does not fit into a PostgreSQL text, half a surrogate pair not into UTF-8; listing must cope."""
    subject = image()
    made = artifact(subject=subject.descriptor(), annotations={"k": text, f"key {text[:100]}": "v"})
    for blob in made.blobs:
        await ready.push_blob(blob)
    answer = await ready.put_manifest(made)
    if answer.status == 201:
        assert (await ready.get(f"manifests/{made.digest}")).body == made.body
        assert [entry["annotations"] for entry in await ready.referrers(subject.digest)] == [
            made.document["annotations"]
        ]
    else:
        assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")


@pytest.mark.parametrize("artifact_type", ["\u0000", "\ud800", "a\nb", "x" * 100_000, "'", "%00"])
async def test_odd_artifact_type_is_kept_or_refused(ready: Repository, artifact_type: str) -> None:
    subject = image()
    made = artifact(subject=subject.descriptor(), artifactType=artifact_type)
    for blob in made.blobs:
        await ready.push_blob(blob)
    answer = await ready.put_manifest(made)
    if answer.status == 201:
        assert [entry["artifactType"] for entry in await ready.referrers(subject.digest)] == [artifact_type]
    else:
        assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")


@pytest.mark.parametrize("query", ["%00", "%ff", "%ed%a0%80", "'%20OR%201=1", "x" * 3000])
async def test_odd_filter_of_referrers_finds_nothing(ready: Repository, query: str) -> None:
    subject = image()
    await ready.push(subject)
    await ready.push(artifact(SBOM, subject=subject.descriptor()))
    answer = await ready.get(f"referrers/{subject.digest}?artifactType={query}")
    assert answer.status == 200 or (answer.status < 500 and answer.code)
    assert answer.status != 200 or answer.json()["manifests"] == []


async def test_five_megabytes_are_413(ready: Repository) -> None:
    answer = await put(ready, image(annotations={"x": "A" * 5_000_000}).body)
    assert (answer.status, answer.code) == (413, "SIZE_INVALID")


@pytest.mark.parametrize("length", [4 * 1024**2 + 1, 10**12, 2**63 - 1])
async def test_announced_size_is_refused_before_the_body_comes(ready: Repository, length: int) -> None:
    fields = {**ready.authorization, "Content-Type": MANIFEST, "Content-Length": length}
    answer = await ask(ready.registry, head("PUT", ready.url("manifests/latest"), fields))
    assert answer is not None
    assert (answer.status, answer.code) == (413, "SIZE_INVALID")


async def test_endless_manifest_is_cut_off_at_the_limit(ready: Repository) -> None:
    """Without a Content-Length the limit has to be found by counting."""
    fields = {**ready.authorization, "Content-Type": MANIFEST, "Transfer-Encoding": "chunked"}
    piece = b"%x\r\n%b\r\n" % (1 << 20, b" " * (1 << 20))
    async with connect(ready.registry.url) as wire:
        await wire.send(head("PUT", ready.url("manifests/latest"), fields) + piece * 6)
        answer = await wire.answer_or_hang_up()
    assert answer is None or (answer.status, answer.code) == (413, "SIZE_INVALID")


async def test_thousands_of_layers_are_taken(ready: Repository) -> None:
    """4 MiB hold some 25,000 descriptors: an ordinary statement each would take minutes."""
    layers = [unique(8) for _ in range(3)]
    for layer in layers:
        await ready.push_blob(layer)
    many = [descriptor(LAYER, layers[number % 3]) for number in range(20_000)]
    made = Content(encode({**image().document, "layers": many}), MANIFEST)
    assert len(made.body) < 4 << 20
    assert (await ready.put_manifest(made)).status == 201


async def test_thousands_of_missing_layers_are_refused_with_a_short_answer(ready: Repository) -> None:
    many = [descriptor(LAYER, number.to_bytes(4)) for number in range(20_000)]
    answer = await ready.put_manifest(Content(encode({**image().document, "layers": many}), MANIFEST))
    assert (answer.status, answer.code) == (404, "MANIFEST_BLOB_UNKNOWN")
    assert len(answer.body) < 100_000


async def test_layer_named_twice_with_different_sizes(ready: Repository) -> None:
    layer = descriptor(LAYER, image().blobs[1])
    answer = await put(ready, encode({**image().document, "layers": [layer, layer | {"size": 1}]}))
    assert answer.status == 201 or (answer.status == 400 and answer.code)


async def test_index_of_an_image_that_lists_it_as_subject(ready: Repository) -> None:
    """References may run in a circle of subject and child; nothing follows them for ever."""
    child = image()
    await ready.push(child)
    outer = index([child], subject=child.descriptor())
    await ready.push(outer)
    assert [entry["digest"] for entry in await ready.referrers(child.digest)] == [outer.digest]
    assert (await ready.delete(f"manifests/{outer.digest}")).status == 202


async def test_server_has_survived_it_all(ready: Repository) -> None:
    """Everything above in one go, and a good manifest is still taken afterwards."""
    for body in (b"[" * DEEP, b"", b"\xff", json.dumps("x" * 4_000_000).encode()):
        assert (await put(ready, body)).status == 400
    await ready.push(image(), "latest")
