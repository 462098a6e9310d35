"""Memory for immutable bytes: manifests and small blobs by digest, never what a tag means."""

from collections import OrderedDict
from typing import Final

LARGEST_SHARE: Final = 8
"""One entry takes at most this fraction of the cache (1/8)."""


class ContentCache:
    """Least recently used contents up to `limit_bytes`. A hit proves nothing about visibility."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._size = 0
        self._entries: OrderedDict[str, bytes] = OrderedDict()

    def get(self, digest: str) -> bytes | None:
        """Return the content, or None."""
        content = self._entries.get(digest)
        if content is not None:
            self._entries.move_to_end(digest)
        return content

    def put(self, digest: str, content: bytes) -> None:
        """Keep the content; the oldest entries make room."""
        if len(content) * LARGEST_SHARE > self._limit or digest in self._entries:
            return
        self._entries[digest] = content
        self._size += len(content)
        while self._size > self._limit:
            _, oldest = self._entries.popitem(last=False)
            self._size -= len(oldest)
