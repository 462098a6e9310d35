"""Signed URLs: what a CDN is told, and that the same URL is given again for a moment."""

import base64
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.oci.digest import Digest
from app.settings import DownloadSettings, Secret, SettingsError
from app.storage import FilesystemDriver, SignedUrls, Wanted
from tests.support.eventually import until

DIGEST = Digest.of(b"content")
HEX = DIGEST.encoded
KEY = f"blobs/sha256/{HEX[:2]}/{HEX[2:4]}/{HEX}"
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_rsa_key(65537, 2048)


@pytest.fixture
def storage(tmp_path: Path) -> FilesystemDriver:
    return FilesystemDriver(tmp_path)


def pem(key: object) -> Secret:
    return Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())  # type: ignore[attr-defined]  # every kind of key has it


def by_nginx(storage: FilesystemDriver, url: str = "https://cdn.example.org") -> SignedUrls:
    return SignedUrls(storage, DownloadSettings(cdn_url=url, cdn_key=Secret("secret")))


async def test_cloudfront_is_told_what_its_own_signer_says(
    storage: FilesystemDriver, key: RSAPrivateKey
) -> None:
    settings = DownloadSettings(
        cdn_url="https://d1.cloudfront.net/all/", cdn_signing="cloudfront", cdn_key=pem(key), cdn_key_id="K1"
    )
    signed = await SignedUrls(storage, settings).get(Wanted(DIGEST, MINUTE))
    assert signed is not None
    theirs = CloudFrontSigner("K1", lambda said: key.sign(said, PKCS1v15(), SHA1()))  # noqa: S303 - its choice
    url = f"https://d1.cloudfront.net/all/{KEY}"
    assert signed.url == theirs.generate_presigned_url(url, date_less_than=signed.expires_at)
    assert timedelta(seconds=58) < signed.expires_at - datetime.now(UTC) <= MINUTE


async def test_nginx_is_told_path_and_end(storage: FilesystemDriver) -> None:
    signed = await by_nginx(storage, "https://cdn.example.org/all").get(Wanted(DIGEST, MINUTE))
    assert signed is not None
    parts = urlsplit(signed.url)
    assert (parts.netloc, parts.path) == ("cdn.example.org", f"/all/{KEY}")
    said = parse_qs(parts.query)
    assert said["expires"] == [str(int(signed.expires_at.timestamp()))]
    assert len(base64.urlsafe_b64decode(f"{said['md5'][0]}==")) == 16


async def test_a_cdn_answers_everybody_alike(storage: FilesystemDriver) -> None:
    urls = by_nginx(storage)
    assert await urls.get(Wanted(DIGEST, MINUTE, "text/plain")) is None
    assert await urls.get(Wanted(DIGEST, MINUTE, "", "inline")) is None


async def test_without_a_cdn_files_are_ours_to_send(storage: FilesystemDriver) -> None:
    assert await SignedUrls(storage, DownloadSettings()).get(Wanted(DIGEST, MINUTE)) is None


async def test_the_same_url_is_given_again_for_a_tenth_of_its_life(storage: FilesystemDriver) -> None:
    urls, wanted = by_nginx(storage), Wanted(DIGEST, timedelta(seconds=10))
    first = await urls.get(wanted)
    again = await until(lambda: urls.get(wanted), lambda signed: signed != first)
    assert first is not None
    assert again is not None
    assert timedelta(0) < again.expires_at - first.expires_at <= timedelta(seconds=2)
    kept = await urls.get(Wanted(DIGEST, 10 * MINUTE))
    assert kept is await urls.get(Wanted(DIGEST, 10 * MINUTE))


class Ending(FilesystemDriver):
    """A storage whose credentials end in two seconds."""

    async def lasting(self, lifetime: timedelta) -> timedelta:
        return min(lifetime, timedelta(seconds=2))

    async def presign(self, *asked: object, **_: object) -> str:  # type: ignore[override]  # files have none
        return f"https://storage.example.org/{time.monotonic_ns()}?for={asked[1]}"


async def test_a_url_ends_with_what_signed_it_and_is_not_given_for_longer(tmp_path: Path) -> None:
    urls, wanted = SignedUrls(Ending(tmp_path), DownloadSettings()), Wanted(DIGEST, 60 * MINUTE)
    first = await urls.get(wanted)
    assert first is not None
    assert first.url.endswith("?for=0:00:02")
    assert first.expires_at <= datetime.now(UTC) + timedelta(seconds=2)
    await until(lambda: urls.get(wanted), lambda signed: signed != first)


async def test_not_more_is_remembered_than_there_is_room_for(storage: FilesystemDriver) -> None:
    urls = by_nginx(storage)
    digests = [Digest.of(str(number).encode()) for number in range(5000)]
    first = [await urls.get(Wanted(digest, 60 * MINUTE)) for digest in digests]
    assert len(urls._known) == 4096
    assert await urls.get(Wanted(digests[-1], 60 * MINUTE)) is first[-1]
    assert await urls.get(Wanted(digests[0], 60 * MINUTE)) is not first[0]


@pytest.mark.parametrize("wrong", ["nonsense", "elliptic"])
def test_a_key_that_cannot_sign_says_so_at_start(storage: FilesystemDriver, wrong: str) -> None:
    key = pem(generate_private_key(SECP256R1())) if wrong == "elliptic" else Secret(wrong)
    settings = DownloadSettings(
        cdn_url="https://d1.cloudfront.net", cdn_signing="cloudfront", cdn_key=key, cdn_key_id="K1"
    )
    with pytest.raises(SettingsError, match=r"downloads\.cdn_key"):
        SignedUrls(storage, settings)
