"""Who we are to Google Cloud Storage: tokens, and links that are signed as version 4 has it."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.storage import StorageError
from app.storage.gcs_identity import Asked, Identity
from tests.support.fakegcs import EMAIL, service_account

URL = "https://storage.googleapis.com/blobs/registry/blobs/sha256/a3/f2/a3f2"


def check(url: str, file: Path, method: str = "GET", headers: Mapping[str, str] = {}) -> None:
    """Do what Google does with a link."""
    key = load_pem_private_key(json.loads(file.read_text())["private_key"].encode(), None).public_key()
    assert isinstance(key, RSAPublicKey)
    query, _, signature = urlsplit(url).query.partition("&X-Goog-Signature=")
    sent = {"host": urlsplit(url).netloc, **headers}
    asked = parse_qs(query)
    (names,) = asked["X-Goog-SignedHeaders"]
    lines = [f"{name}:{sent[name]}" for name in names.split(";")]
    request = "\n".join([method, urlsplit(url).path, query, *lines, "", names, "UNSIGNED-PAYLOAD"])
    (date,), (credential,) = asked["X-Goog-Date"], asked["X-Goog-Credential"]
    text = [
        "GOOG4-RSA-SHA256",
        date,
        credential.partition("/")[2],
        hashlib.sha256(request.encode()).hexdigest(),
    ]
    key.verify(bytes.fromhex(signature), "\n".join(text).encode(), PKCS1v15(), SHA256())


async def test_a_link_has_the_signature_of_the_service_account(tmp_path: Path) -> None:
    file = service_account(tmp_path)
    disposition = 'attachment; filename="a b.bin"'
    chosen = {"response-content-disposition": disposition, "response-content-type": "", "a": "/"}
    url = await Identity(str(file)).sign(Asked("GET", URL, timedelta(hours=2), chosen))
    check(url, file)
    asked = parse_qs(urlsplit(url).query)
    assert asked["response-content-disposition"] == [disposition]
    assert "response-content-type" not in asked
    assert asked["X-Goog-Expires"] == ["7200"]
    assert asked["X-Goog-Credential"] == [f"{EMAIL}/{datetime.now(UTC):%Y%m%d}/auto/storage/goog4_request"]
    with pytest.raises(InvalidSignature):
        check(url.replace("7200", "9200"), file)


async def test_a_url_for_an_upload_is_for_the_headers_that_it_names(tmp_path: Path) -> None:
    file = service_account(tmp_path)
    four = {"x-goog-content-length-range": "4,4"}
    url = await Identity(str(file)).sign(Asked("PUT", URL, timedelta(hours=1), headers=four))
    check(url, file, "PUT", four)
    for method, headers in (("GET", four), ("PUT", {"x-goog-content-length-range": "0,9"})):
        with pytest.raises(InvalidSignature):
            check(url, file, method, headers)


@pytest.mark.parametrize("content", ["", "{}", '{"type": "service_account"}'])
def test_a_file_without_a_key_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key.json"
    file.write_text(content)
    with pytest.raises(StorageError, match="no credentials"):
        Identity(str(file))


async def test_a_token_is_asked_for_once_while_it_is_good(tmp_path: Path) -> None:
    asked: list[str] = []

    async def give(request: web.Request) -> web.Response:
        asked.append((await request.text()).partition("&")[0])
        return web.json_response({"access_token": f"token-{len(asked)}", "expires_in": 3600})

    application = web.Application()
    application.router.add_post("/token", give)
    async with TestServer(application) as server:
        identity = Identity(str(service_account(tmp_path, str(server.make_url("/token")))))
        tokens = await asyncio.gather(*(identity.token() for _ in range(3)))
    assert tokens == ["token-1"] * 3
    assert len(asked) == 1


async def test_who_is_refused_a_token_is_told_why(tmp_path: Path) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response(
            {"error": "invalid_grant", "error_description": "no such account"}, status=400
        )

    application = web.Application()
    application.router.add_post("/token", refuse)
    async with TestServer(application) as server:
        identity = Identity(str(service_account(tmp_path, str(server.make_url("/token")))))
        with pytest.raises(StorageError, match="no such account"):
            await identity.token()
