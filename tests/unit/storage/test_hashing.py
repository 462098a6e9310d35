"""A digest in pieces, put away and taken up at any point, is the digest of the whole."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.oci.digest import Algorithm, Digest
from app.storage.hashing import RunningDigest

algorithms = st.sampled_from(["sha256", "sha512"])
# Around the blocks of 64 and 128 bytes, where an implementation keeps a rest.
pieces = st.lists(st.binary(max_size=300), max_size=6)


def expected(algorithm: Algorithm, content: bytes) -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def test_this_machine_can_resume() -> None:
    assert RunningDigest.can_resume()
    assert RunningDigest("sha256").state() is not None


@settings(deadline=None)
@given(algorithms, pieces)
def test_any_split_gives_the_digest_of_the_whole(algorithm: Algorithm, split: list[bytes]) -> None:
    running = RunningDigest(algorithm)
    for number, piece in enumerate(split):
        running.update(piece)
        # Looking at it in between changes nothing.
        assert running.digest() == expected(algorithm, b"".join(split[: number + 1]))
    assert Digest.parse(running.digest()) == expected(algorithm, b"".join(split))


@settings(deadline=None)
@given(algorithms, pieces)
def test_any_resume_point_gives_the_digest_of_the_whole(algorithm: Algorithm, split: list[bytes]) -> None:
    state = RunningDigest(algorithm).state()
    for piece in split:
        running = RunningDigest(algorithm, state)
        running.update(piece)
        state = running.state()
    assert RunningDigest(algorithm, state).digest() == expected(algorithm, b"".join(split))


@settings(deadline=None)
@given(algorithms, st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_two_can_go_on_from_one_state(algorithm: Algorithm, first: bytes, one: bytes, two: bytes) -> None:
    origin = RunningDigest(algorithm)
    origin.update(first)
    state = origin.state()
    for rest in (one, two):
        running = RunningDigest(algorithm, state)
        running.update(rest)
        assert running.digest() == expected(algorithm, first + rest)
    assert origin.digest() == expected(algorithm, first)


def test_large_pieces_are_no_different() -> None:
    content = bytes(range(256)) * 20_000
    running = RunningDigest("sha512")
    running.update(content)
    running.update(content[:1])
    assert running.digest() == expected("sha512", content + content[:1])


@pytest.mark.parametrize("state", [b"", b"x", bytes(111), bytes(216)])
def test_what_is_no_state_is_refused(state: bytes) -> None:
    with pytest.raises(ValueError, match="not a state"):
        RunningDigest("sha256", state)
