"""Memory for bytes that cannot change under their key: content by digest, never what a tag means."""

from collections import OrderedDict
from typing import Final

LARGEST_SHARE: Final = 8
"""One entry takes at most this fraction of the cache (1/8)."""


_ENTRY_BYTES: Final = 256
"""What an entry takes beside its content, roughly."""


class ContentCache:
    """Least recently used contents up to `limit_bytes`. A hit proves nothing about visibility."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._size = 0
        self._entries: OrderedDict[str, bytes] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """Return the content, or None."""
        content = self._entries.get(key)
        if content is not None:
            self._entries.move_to_end(key)
        return content

    def put(self, key: str, content: bytes) -> None:
        """Keep the content, instead of any other under this key; the oldest entries make room."""
        if len(content) * LARGEST_SHARE > self._limit:
            return
        self._drop(key)
        self._entries[key] = content
        self._size += len(content) + _ENTRY_BYTES
        while self._size > self._limit:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: str) -> None:
        content = self._entries.pop(key, None)
        if content is not None:
            self._size -= len(content) + _ENTRY_BYTES
