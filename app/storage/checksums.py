"""Checksums as object storages write them: the bytes of the hash in base64."""

import base64
import hashlib
import zlib

from app.oci.digest import Digest


def crc32_of(content: bytes) -> str:
    """Return the CRC-32."""
    return _written(zlib.crc32(content).to_bytes(4, "big"))


def md5_of(content: bytes) -> str:
    """Return the MD5, which tells what changed by accident and nothing else."""
    return _written(hashlib.md5(content, usedforsecurity=False).digest())


def sha256_of(content: bytes) -> str:
    """Return the SHA-256."""
    return _written(hashlib.sha256(content).digest())


def checksum_of(digest: Digest) -> str:
    """Return a digest so; empty where it is not a SHA-256, for S3 checks no others."""
    return _written(bytes.fromhex(digest.encoded)) if digest.algorithm == "sha256" else ""


def _written(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
