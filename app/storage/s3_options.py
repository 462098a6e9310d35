"""How the S3 driver is told what to do; apart from it, because it takes a while to import."""

from datetime import timedelta

from msgspec import Struct


class S3Options(Struct, frozen=True, kw_only=True):
    """Which bucket, how it is reached, and how objects are kept in it."""

    bucket: str
    prefix: str = ""
    region: str = ""
    endpoint: str = ""
    public_endpoint: str = ""
    is_path_style: bool = False
    access_key: str = ""
    secret_key: str = ""
    encryption: str = ""
    kms_key: str = ""
    storage_class: str = ""
    part_bytes: int = 8 << 20
    copy_bytes: int = 256 << 20
    connect_timeout: timedelta = timedelta(seconds=5)
    read_timeout: timedelta = timedelta(seconds=30)
    attempts: int = 5
