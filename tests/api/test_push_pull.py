"""The shortest way through the house: push an image, pull it back."""

import hashlib
import json

from tests.support.registry import Registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
NAME = "team/app"


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


async def push_blob(
    registry: Registry, headers: dict[str, str], content: bytes, media_type: str
) -> dict[str, object]:
    session, url = registry.session, f"{registry.url}/v2/{NAME}/blobs/uploads/"
    async with session.post(url, headers=headers) as answer:
        assert answer.status == 202, await answer.text()
        location = registry.url + answer.headers["Location"]
    async with session.patch(location, headers=headers, data=content) as answer:
        assert answer.status == 202, await answer.text()
        assert answer.headers["Range"] == f"0-{len(content) - 1}"
    digest = digest_of(content)
    async with session.put(location, headers=headers, params={"digest": digest}) as answer:
        assert answer.status == 201, await answer.text()
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


async def get(registry: Registry, headers: dict[str, str], path: str) -> bytes:
    async with registry.session.get(f"{registry.url}/v2/{NAME}/{path}", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


async def test_an_image_comes_back_byte_for_byte(registry: Registry) -> None:
    headers = {"Authorization": f"Bearer {await registry.token(f'repository:{NAME}:pull,push')}"}
    layer, config = b"layer" * 50_000, b"{}"
    layer_descriptor = await push_blob(registry, headers, layer, "application/x-layer")
    config_descriptor = await push_blob(registry, headers, config, "application/vnd.oci.image.config.v1+json")
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config_descriptor,
                           "layers": [layer_descriptor]}).encode()  # fmt: skip
    async with registry.session.put(
        f"{registry.url}/v2/{NAME}/manifests/v1", headers={**headers, "Content-Type": MANIFEST}, data=manifest
    ) as answer:
        assert answer.status == 201, await answer.text()
        assert answer.headers["Docker-Content-Digest"] == digest_of(manifest)
    assert await get(registry, headers, "manifests/v1") == manifest
    assert await get(registry, headers, f"blobs/{layer_descriptor['digest']}") == layer
    assert await get(registry, headers, f"blobs/{config_descriptor['digest']}") == config
    assert json.loads(await get(registry, headers, "tags/list")) == {"name": NAME, "tags": ["v1"]}
