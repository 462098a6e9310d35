"""SHA-2 with a state that can be put away and taken up by another process.

`hashlib` cannot store its state, so a chunk that lands on another process would force a second
read of the blob. The contexts of libcrypto (FIPS 180-4; `SHA256_CTX`, `SHA512_CTX`) are plain
structs that can be copied out and in. Where libcrypto cannot be loaded, `state()` is None and the
caller reads the bytes again.
"""

import ctypes
import ctypes.util
import hashlib
import sys
from typing import Final

from app.oci.digest import Algorithm, Digest

_SIZES: Final[dict[Algorithm, tuple[str, int, int]]] = {
    # algorithm: function prefix, bytes of the context, bytes of the digest
    "sha256": ("SHA256", 112, 32),
    "sha512": ("SHA512", 216, 64),
}


def _find() -> str | None:
    # The system of macOS ends processes that load its libcrypto.
    return None if sys.platform == "darwin" else ctypes.util.find_library("crypto")


def _load() -> ctypes.CDLL | None:
    name = _find()
    try:
        library = ctypes.CDLL(name) if name else None
        for prefix, _, _ in _SIZES.values():
            getattr(library, f"{prefix}_Init").argtypes = [ctypes.c_void_p]
            getattr(library, f"{prefix}_Update").argtypes = [
                ctypes.c_void_p,
                ctypes.c_char_p,
                ctypes.c_size_t,
            ]
            getattr(library, f"{prefix}_Final").argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    except (OSError, AttributeError):
        return None
    return library


_LIBCRYPTO: Final = _load()


class RunningDigest:
    """The digest of bytes that come in pieces. `update` releases the GIL for large pieces."""

    def __init__(self, algorithm: Algorithm, state: bytes | None = None) -> None:
        self.algorithm: Final = algorithm
        self._hashlib = None
        prefix, self._context_bytes, self._digest_bytes = _SIZES[algorithm]
        if _LIBCRYPTO is None:
            if state is not None:
                raise ValueError("a stored state cannot be taken up without libcrypto")
            self._hashlib = hashlib.new(algorithm)
            return
        self._update = getattr(_LIBCRYPTO, f"{prefix}_Update")
        self._final = getattr(_LIBCRYPTO, f"{prefix}_Final")
        self._context = ctypes.create_string_buffer(self._context_bytes)
        if state is None:
            getattr(_LIBCRYPTO, f"{prefix}_Init")(self._context)
        elif len(state) != self._context_bytes:
            raise ValueError("not a state of this algorithm")
        else:
            ctypes.memmove(self._context, state, self._context_bytes)

    @staticmethod
    def can_resume() -> bool:
        """Whether `state` works on this machine."""
        return _LIBCRYPTO is not None

    def update(self, piece: bytes) -> None:
        """Take up the next piece."""
        if self._hashlib is not None:
            self._hashlib.update(piece)
        else:
            self._update(self._context, piece, len(piece))

    def state(self) -> bytes | None:
        """Return what `RunningDigest(algorithm, state)` continues from, or None."""
        return None if self._hashlib is not None else self._context.raw

    def digest(self) -> Digest:
        """Return the digest of all pieces so far; more may follow."""
        if self._hashlib is not None:
            return Digest(f"{self.algorithm}:{self._hashlib.hexdigest()}")
        result = ctypes.create_string_buffer(self._digest_bytes)
        copy = ctypes.create_string_buffer(self._context.raw, self._context_bytes)
        self._final(result, copy)
        return Digest(f"{self.algorithm}:{result.raw.hex()}")
