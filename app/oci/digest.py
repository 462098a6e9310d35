"""Digests: the names of content (OCI image-spec, descriptor.md, "Digests")."""

import hashlib
import re
from typing import Final, Literal, Self, TypeAlias

from app.oci.errors import DigestInvalid

Algorithm: TypeAlias = Literal["sha256", "sha512"]

ALGORITHMS: Final[dict[str, int]] = {"sha256": 64, "sha512": 128}
"""Registered algorithms and the length of their encoded part."""

_DIGEST: Final = re.compile(r"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}")


class Digest(str):
    """A valid digest such as `sha256:e3b0...`, of an algorithm that we can verify."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the digest; raise DigestInvalid unless it is of a registered algorithm, in lower case."""
        if _DIGEST.fullmatch(text) is None:
            raise DigestInvalid(text)
        return cls(text)

    @classmethod
    def of(cls, content: bytes, algorithm: Algorithm = "sha256") -> Self:
        """Return the digest of `content`."""
        return cls(f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}")

    @property
    def algorithm(self) -> Algorithm:
        """The part before the colon."""
        return "sha512" if self.startswith("sha512") else "sha256"

    @property
    def encoded(self) -> str:
        """The part after the colon, lower-case hex."""
        return self[7:]

    def matches(self, content: bytes) -> bool:
        """Whether this is the digest of `content`."""
        return self == Digest.of(content, self.algorithm)
