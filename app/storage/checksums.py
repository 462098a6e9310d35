"""Checksums as object storages write them: the bytes of the hash in base64."""

import base64
import hashlib
import zlib

from app.oci.digest import Digest


def crc32_of(content: bytes) -> str:
    """Return the CRC-32."""
    return base64_of(zlib.crc32(content).to_bytes(4, "big"))


def md5_of(content: bytes) -> str:
    """Return the MD5, which tells what changed by accident and nothing else."""
    return base64_of(hashlib.md5(content, usedforsecurity=False).digest())


def sha256_of(content: bytes) -> str:
    """Return the SHA-256."""
    return base64_of(hashlib.sha256(content).digest())


def checksum_of(digest: Digest) -> str:
    """Return a digest so; empty where it is not a SHA-256, for S3 checks no others."""
    return base64_of(bytes.fromhex(digest.encoded)) if digest.algorithm == "sha256" else ""


def base64_of(raw: bytes) -> str:
    """Return bytes in base64."""
    return base64.b64encode(raw).decode()
