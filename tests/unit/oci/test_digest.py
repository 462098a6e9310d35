"""Digests: which texts are one, and what they are made of."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.oci.digest import Algorithm, Digest
from app.oci.errors import DigestInvalid

HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("text", [f"sha256:{HEX}", f"sha512:{HEX}{HEX}"])
def test_a_digest_is_kept_as_it_came(text: str) -> None:
    digest = Digest.parse(text)
    assert digest == text
    assert f"{digest.algorithm}:{digest.encoded}" == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "sha256:",
        HEX,
        f"sha256:{HEX[:-1]}",
        f"sha256:{HEX}0",
        f"sha256:{HEX.upper()}",
        f"SHA256:{HEX}",
        f"sha512:{HEX}",
        f"sha384:{HEX[:48]}{HEX[:48]}",
        f"md5:{HEX[:32]}",
        f"sha256:{HEX}\n",
        f" sha256:{HEX}",
        f"sha256:{HEX[:-1]}\u0663",
        f"sha256:{'../' * 21}a",
        f"sha256+b64:{HEX}",
    ],
)
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(DigestInvalid):
        Digest.parse(text)


@settings(deadline=None)
@given(st.binary(), st.sampled_from(["sha256", "sha512"]))
def test_content_has_the_digest_that_hashlib_finds(content: bytes, algorithm: Algorithm) -> None:
    digest = Digest.of(content, algorithm)
    assert digest == f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
    assert Digest.parse(digest) == digest
    assert digest.matches(content)
    assert not digest.matches(content + b"\0")


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_digest_or_refused(text: str) -> None:
    with pytest.raises(DigestInvalid):
        Digest.parse(f"sha256:{text}")
