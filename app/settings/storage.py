"""The settings of the storage drivers."""

from datetime import timedelta
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct
from msgspec.structs import asdict, fields

from app.settings.secret import Secret

_EVERY_DRIVER: Final = frozenset({"driver", "root"})


class StorageSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where content bytes lie: in files, or in a bucket on S3 or on a server that speaks as it does."""

    driver: Annotated[Literal["filesystem", "s3"], Meta(description="Storage driver.")] = "filesystem"
    root: Annotated[
        str, Meta(description="Directory of the filesystem driver; default: `storage` in the data directory.")
    ] = ""
    bucket: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9._-]{3,255})?$",
            description="S3: the bucket, which has to be there. Required by the driver `s3`.",
        ),
    ] = ""
    prefix: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9._/-]*$",
            description="S3: what the keys of all objects begin with, such as `registry`; "
            "others may use the rest of the bucket.",
        ),
    ] = ""
    region: Annotated[
        str, Meta(description="S3: the region; default: what the environment says, else `us-east-1`.")
    ] = ""
    endpoint: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/?#]+/?)?$",
            description="S3: the server, such as `https://s3.example.org`; default: AWS.",
        ),
    ] = ""
    public_endpoint: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/?#]+/?)?$",
            description="S3: the server as clients reach it, in URLs that are signed for them; "
            "default: the endpoint.",
        ),
    ] = ""
    path_style: Annotated[
        Literal["auto", "always", "never"],
        Meta(
            description="S3: whether the bucket stands in the path of a URL instead of its host name. "
            "`auto`: where an endpoint is set."
        ),
    ] = "auto"
    access_key: Annotated[
        Secret,
        Meta(
            description="S3: the access key. Without it, the SDK looks where it always does: "
            "environment, profile, role of the machine."
        ),
    ] = Secret("")
    secret_key: Annotated[Secret, Meta(description="S3: the secret that belongs to the access key.")] = (
        Secret("")
    )
    encryption: Annotated[
        Literal["default", "AES256", "aws:kms"],
        Meta(description="S3: how objects are encrypted by the server. `default`: as the bucket says."),
    ] = "default"
    kms_key: Annotated[
        str, Meta(description="S3: the key for the encryption `aws:kms`; default: the account's own.")
    ] = ""
    object_class: Annotated[
        str,
        Meta(
            pattern="^[A-Z_]*$",
            description="S3: the storage class of blobs, such as `STANDARD_IA`; uploads are `STANDARD`.",
        ),
    ] = ""
    part_bytes: Annotated[
        int,
        Meta(
            ge=5 << 20,
            le=1 << 30,
            description="S3: the size of an upload's parts, in bytes. An upload takes about six times that "
            "of memory. Those of an upload of more than 10 GB grow with it.",
        ),
    ] = 8 << 20
    connect_timeout: Annotated[
        timedelta, Meta(description="S3: an attempt to connect is given up after this long.")
    ] = timedelta(seconds=5)
    read_timeout: Annotated[
        timedelta, Meta(description="S3: a server that says nothing for this long is given up.")
    ] = timedelta(seconds=30)
    attempts: Annotated[
        int, Meta(ge=1, le=20, description="S3: how often a request is tried, with growing pauses.")
    ] = 5

    def __post_init__(self) -> None:
        if self.driver == "filesystem":
            self._require_defaults()
            return
        if self.root:
            raise ValueError("root: it is for the driver `filesystem`; take it away, or set storage.driver")
        if not self.bucket:
            raise ValueError(
                "bucket: the driver `s3` needs one; set it to the name of a bucket that is there"
            )
        if bool(self.access_key) != bool(self.secret_key):
            missing = "secret_key" if self.access_key else "access_key"
            raise ValueError(
                f"{missing}: set both storage.access_key and storage.secret_key, or none of them"
            )
        if self.kms_key and self.encryption != "aws:kms":
            raise ValueError("kms_key: set storage.encryption to `aws:kms` for it, or take it away")

    def _require_defaults(self) -> None:
        """Refuse what would have no effect: somebody meant another driver."""
        defaults = {field.name: field.default for field in fields(self)}
        for name, value in asdict(self).items():
            if name not in _EVERY_DRIVER and value != defaults[name]:
                raise ValueError(f"{name}: it is for the driver `s3`; set storage.driver to `s3`")

    @property
    def is_path_style(self) -> bool:
        """Whether the bucket stands in the path."""
        return self.path_style == "always" or (self.path_style == "auto" and bool(self.endpoint))
