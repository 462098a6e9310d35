"""The shortest way through the house: push an image, pull it back."""

import hashlib
import json

from tests.support.registry import Registry

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


async def test_an_image_comes_back_byte_for_byte(registry: Registry) -> None:
    name = "team/app"
    token = await registry.token(f"repository:{name}:pull,push")
    headers = {"Authorization": f"Bearer {token}"}
    layer, config = b"layer" * 50_000, b"{}"
    descriptors = []
    for content, media_type in (
        (config, "application/vnd.oci.image.config.v1+json"),
        (layer, "application/x-layer"),
    ):
        async with registry.session.post(
            f"{registry.url}/v2/{name}/blobs/uploads/", headers=headers
        ) as answer:
            assert answer.status == 202, await answer.text()
            location = answer.headers["Location"]
        async with registry.session.patch(registry.url + location, headers=headers, data=content) as answer:
            assert answer.status == 202, await answer.text()
            assert answer.headers["Range"] == f"0-{len(content) - 1}"
        digest = digest_of(content)
        async with registry.session.put(
            registry.url + location, headers=headers, params={"digest": digest}
        ) as answer:
            assert answer.status == 201, await answer.text()
        descriptors.append({"mediaType": media_type, "digest": digest, "size": len(content)})
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptors[0], "layers": descriptors[1:]}
    ).encode()
    async with registry.session.put(
        f"{registry.url}/v2/{name}/manifests/v1",
        headers={**headers, "Content-Type": OCI_MANIFEST},
        data=manifest,
    ) as answer:
        assert answer.status == 201, await answer.text()
        assert answer.headers["Docker-Content-Digest"] == digest_of(manifest)
    async with registry.session.get(f"{registry.url}/v2/{name}/manifests/v1", headers=headers) as answer:
        assert (answer.status, answer.content_type) == (200, OCI_MANIFEST)
        assert await answer.read() == manifest
    for content, descriptor in zip((config, layer), descriptors, strict=True):
        async with registry.session.get(
            f"{registry.url}/v2/{name}/blobs/{descriptor['digest']}", headers=headers
        ) as answer:
            assert answer.status == 200
            assert await answer.read() == content
    async with registry.session.get(f"{registry.url}/v2/{name}/tags/list", headers=headers) as answer:
        assert await answer.json() == {"name": name, "tags": ["v1"]}
