"""The settings of the storage drivers."""

from datetime import timedelta
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct
from msgspec.structs import fields

from app.settings.secret import Secret

_BUCKETS: Final = ("s3", "azure", "gcs")
_ONLY: Final = {
    "root": ("filesystem",),
    "region": ("s3",),
    "path_style": ("s3", "azure"),
    "access_key": ("s3",),
    "secret_key": ("s3",),
    "encryption": ("s3",),
    "kms_key": ("s3",),
    "ca_file": ("s3",),
    "account": ("azure",),
    "account_key": ("azure",),
    "credentials_file": ("gcs",),
}
"""The drivers of each setting that is not for all that keep content in buckets."""


class StorageSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where content bytes lie: in files, or in a bucket of S3, Azure, Google, or what speaks as they do."""

    driver: Annotated[Literal["filesystem", "s3", "azure", "gcs"], Meta(description="Storage driver.")] = (
        "filesystem"
    )
    root: Annotated[
        str, Meta(description="Directory of the filesystem driver; default: `storage` in the data directory.")
    ] = ""
    bucket: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9._-]{3,255})?$",
            description="S3, Azure, GCS: the bucket, or container, which has to be there. "
            "Required by these drivers.",
        ),
    ] = ""
    prefix: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9._/-]*$",
            description="S3, Azure, GCS: what the keys of all objects begin with, such as `registry`; "
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
            description="S3, Azure, GCS: the server, such as `https://s3.example.org`; default: that of the "
            "service. On GCS it is for emulators, which are asked without credentials.",
        ),
    ] = ""
    public_endpoint: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/?#]+/?)?$",
            description="S3, Azure, GCS: the server as clients reach it, in URLs that are signed for them; "
            "default: the endpoint.",
        ),
    ] = ""
    path_style: Annotated[
        Literal["auto", "always", "never"],
        Meta(
            description="S3, Azure: whether the bucket, or account, stands in the path of a URL instead of "
            "its host name. `auto`: where an endpoint is set that does not begin with the account."
        ),
    ] = "auto"
    ca_file: Annotated[
        str,
        Meta(
            description="S3: the file with the certificate, in PEM, of the authority that the server's "
            "certificate is from; default: those that all the world knows."
        ),
    ] = ""
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
    account: Annotated[
        str,
        Meta(
            pattern="^([a-z0-9]{3,24})?$",
            description="Azure: the storage account. Required by the driver `azure`.",
        ),
    ] = ""
    account_key: Annotated[
        Secret,
        Meta(
            description="Azure: the key of the account. Without it, the SDK looks where it always does: "
            "environment, workload identity, managed identity."
        ),
    ] = Secret("")
    credentials_file: Annotated[
        str,
        Meta(
            description="GCS: the file with the key of a service account. Without it, the SDK looks where it "
            "always does: environment, profile, metadata of the machine."
        ),
    ] = ""
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
            pattern="^[A-Za-z_]*$",
            description="S3, Azure, GCS: the storage class, or access tier, of blobs, such as `STANDARD_IA`, "
            "`Cool` or `NEARLINE`; uploads are of the standard one.",
        ),
    ] = ""
    part_bytes: Annotated[
        int,
        Meta(
            ge=5 << 20,
            le=1 << 30,
            description="S3, Azure, GCS: the size of an upload's parts, in bytes. An upload takes about six "
            "times that of memory. Those of an upload of more than 10 GB grow with it.",
        ),
    ] = 8 << 20
    connect_timeout: Annotated[
        timedelta, Meta(description="S3, Azure, GCS: an attempt to connect is given up after this long.")
    ] = timedelta(seconds=5)
    read_timeout: Annotated[
        timedelta,
        Meta(description="S3, Azure, GCS: who says or takes nothing for this long is given up."),
    ] = timedelta(seconds=25)
    patience: Annotated[
        timedelta,
        Meta(
            description="S3, Azure, GCS: a request that fails because the storage is busy or away is sent "
            "again for this long, with growing pauses, and once in any case. Clients wait meanwhile."
        ),
    ] = timedelta(seconds=20)

    def __post_init__(self) -> None:
        self._require_effect()
        if self.driver == "filesystem":
            return
        if not self.bucket:
            raise ValueError(
                f"bucket: the driver `{self.driver}` needs one; set it to the name of one that is there"
            )
        if self.driver == "azure" and not self.account:
            raise ValueError(
                "account: the driver `azure` needs it; set it to the name of the storage account"
            )
        if bool(self.access_key) != bool(self.secret_key):
            missing = "secret_key" if self.access_key else "access_key"
            raise ValueError(
                f"{missing}: set both storage.access_key and storage.secret_key, or none of them"
            )
        if self.kms_key and self.encryption != "aws:kms":
            raise ValueError("kms_key: set storage.encryption to `aws:kms` for it, or take it away")

    def _require_effect(self) -> None:
        """Refuse what would have none: somebody meant another driver."""
        for field in fields(self):
            meant = _ONLY.get(field.name, _BUCKETS)
            is_default = getattr(self, field.name) == field.default
            if field.name != "driver" and not is_default and self.driver not in meant:
                raise ValueError(
                    f"{field.name}: it has no effect on the driver `{self.driver}`; take it away, or set "
                    f"storage.driver to {' or '.join(f'`{driver}`' for driver in meant)}"
                )

    @property
    def is_path_style(self) -> bool:
        """Whether the bucket stands in the path."""
        return self.path_style == "always" or (self.path_style == "auto" and bool(self.endpoint))
