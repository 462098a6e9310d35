"""The cache of contents: what it keeps, what it lets go first, and that it stays within its limit."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app.storage.cache import LARGEST_SHARE, ContentCache

LIMIT = 10_000
SHARE = LIMIT // LARGEST_SHARE


def kept(cache: ContentCache, keys: list[str]) -> list[str]:
    return [key for key in keys if cache.get(key) is not None]


def test_what_was_put_is_found_and_nothing_else() -> None:
    cache = ContentCache(LIMIT)
    cache.put("a", b"1")
    cache.put("b", b"")
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (b"1", b"", None)


def test_the_least_recently_used_goes_first() -> None:
    cache, content = ContentCache(LIMIT), bytes(SHARE)
    keys = [str(i) for i in range(6)]  # one more would be over the limit, with what entries take themselves
    for key in keys:
        cache.put(key, content)
    assert cache.get("0") == content
    cache.put("6", content)
    assert kept(cache, [*keys, "6"]) == ["0", "2", "3", "4", "5", "6"]


def test_one_entry_takes_no_more_than_its_share() -> None:
    cache = ContentCache(LIMIT)
    cache.put("fits", bytes(SHARE))
    cache.put("too large", bytes(SHARE + 1))
    assert kept(cache, ["fits", "too large"]) == ["fits"]


def test_the_same_key_again_takes_no_more_room() -> None:
    cache = ContentCache(LIMIT)
    cache.put("other", b"1")
    for _ in range(100):
        cache.put("same", bytes(SHARE))
    assert kept(cache, ["other", "same"]) == ["other", "same"]


def test_a_cache_of_nothing_keeps_nothing() -> None:
    cache = ContentCache(0)
    cache.put("a", b"")
    cache.put("b", b"1")
    assert kept(cache, ["a", "b"]) == []


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdefghijklmnop"), st.integers(0, SHARE + 50))))
def test_what_it_keeps_is_right_and_within_the_limit(puts: list[tuple[str, int]]) -> None:
    cache, last = ContentCache(LIMIT), dict[str, bytes]()
    for number, (key, size) in enumerate(puts):
        content = bytes([number % 256]) * size
        cache.put(key, content)
        if size <= SHARE:
            last[key] = content
            assert cache.get(key) == content
    found = {key: hit for key in last if (hit := cache.get(key)) is not None}
    assert found == {key: last[key] for key in found}
    assert sum(map(len, found.values())) <= LIMIT
