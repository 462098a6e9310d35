"""Every setting of Roadstead: its name, type, default and meaning, in one table.

`docs/configuration.md` is generated from this module.
"""

import hashlib
import hmac
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field

from app.settings.downloads import DownloadSettings
from app.settings.lists import listed
from app.settings.outgoing import OutgoingSettings
from app.settings.secret import Secret
from app.settings.storage import StorageSettings
from app.settings.webhooks import WebhookSettings
from app.settings.workers import WorkerSettings

_SHORTEST_TOKEN = timedelta(seconds=60)
_SHORTEST_SECRET = 32
_YOUNGEST_ORPHAN = timedelta(days=1)
_SHORTEST_URL = timedelta(seconds=1)
_LONGEST_URL = timedelta(days=7)

Bytes: TypeAlias = Annotated[int, Meta(ge=0)]


class DatabaseSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """PostgreSQL, the only truth about what exists."""

    url: Annotated[
        Secret, Meta(description="PostgreSQL 15 or newer, as a libpq URL or key=value string. Required.")
    ] = Secret("")
    pool_size: Annotated[int, Meta(ge=2, le=200, description="Connections per process at most.")] = 12
    statement_timeout: Annotated[
        timedelta, Meta(description="The server gives up on a statement after this long.")
    ] = timedelta(seconds=30)


class RedisSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Redis or Valkey: job queues and counters of failed logins. May be lost without losing an event."""

    url: Annotated[
        Secret,
        Meta(
            description="`redis://`, `rediss://` or `unix://` URL. Required by workers; a web process "
            "without it does not slow those who guess passwords."
        ),
    ] = Secret("")


class AuthSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Tokens and first identity."""

    secret_key: Annotated[
        Secret,
        Meta(description="32 characters or more, the same in every process; keys come from it. Required."),
    ] = Secret("")
    previous_secret_keys: Annotated[
        Secret,
        Meta(
            description="Earlier values of `secret_key`, between commas: what they signed or encrypted is "
            "still good. `roadstead secrets` says when none of them is needed any more."
        ),
    ] = Secret("")
    service: Annotated[
        str, Meta(min_length=1, description="Name of this service in tokens and challenges.")
    ] = "roadstead"
    token_lifetime: Annotated[timedelta, Meta(description="How long a registry token is good for.")] = (
        timedelta(minutes=5)
    )
    robot_prefix: Annotated[
        str, Meta(min_length=1, max_length=32, description="What the names of robot accounts begin with.")
    ] = "robot$"
    create_projects_on_push: Annotated[
        bool, Meta(description="A push by an administrator to an unknown project creates it (private).")
    ] = True

    def __post_init__(self) -> None:
        if self.token_lifetime < _SHORTEST_TOKEN:
            raise ValueError("token_lifetime: clients take a token for good for 60 seconds at least")
        if self.secret_key and len(self.secret_key) < _SHORTEST_SECRET:
            raise ValueError("secret_key: 32 characters at least, such as `openssl rand -hex 32` prints")

    def keys_for(self, purpose: bytes) -> list[bytes]:
        """Return the key for a purpose, derived from the secret key, and behind it those of earlier ones."""
        keys = (str(self.secret_key), *listed(str(self.previous_secret_keys)))
        return [hmac.digest(key.encode(), purpose, hashlib.sha256) for key in keys]


class UploadSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Blob uploads."""

    expiry: Annotated[
        timedelta, Meta(description="An unfinished upload is removed after this long without a byte.")
    ] = timedelta(hours=24)
    lease: Annotated[
        timedelta,
        Meta(description="A writer that shows no sign of life for this long loses its upload session."),
    ] = timedelta(seconds=15)
    idle_timeout: Annotated[
        timedelta, Meta(description="A request body that sends nothing for this long is cut off.")
    ] = timedelta(seconds=60)
    orphan_age: Annotated[
        timedelta,
        Meta(
            description="Content in the storage that is no blob, such as a crash leaves behind, is removed "
            "when it has been known for this long; a day at least."
        ),
    ] = timedelta(days=7)
    presigned_lifetime: Annotated[
        timedelta,
        Meta(description="How long a URL takes bytes at the storage itself that is signed for an upload."),
    ] = timedelta(hours=1)
    hash_inline_bytes: Annotated[
        Bytes,
        Meta(
            description="What clients sent to the storage itself is read when the upload is closed, up to "
            "this size in bytes; a worker reads what is larger, while the client comes again."
        ),
    ] = 64 << 20
    chunk_min_length: Annotated[
        Bytes,
        Meta(
            description="Smallest chunk, in bytes, that clients are asked to send (`OCI-Chunk-Min-Length`)."
        ),
    ] = 0

    def __post_init__(self) -> None:
        if self.orphan_age < _YOUNGEST_ORPHAN:
            raise ValueError("orphan_age: 86400 seconds at least, so that no push takes as long")
        if not _SHORTEST_URL <= self.presigned_lifetime <= _LONGEST_URL:
            raise ValueError("presigned_lifetime: 1 second to 7 days")


class ManifestSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Manifests."""

    max_bytes: Annotated[
        int, Meta(ge=1 << 20, le=64 << 20, description="Largest manifest in bytes; more is answered 413.")
    ] = 4 << 20
    sparse: Annotated[
        Literal["deny", "allow-index", "allow-all"],
        Meta(
            description="Whether a manifest may name content that is not here: nothing (`deny`), "
            "children of an index (`allow-index`), or anything (`allow-all`)."
        ),
    ] = "deny"
    cache_bytes: Annotated[
        Bytes, Meta(description="Memory per process for manifests and small blobs by digest.")
    ] = 32 << 20


class AuditSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The audit log."""

    retention: Annotated[
        timedelta, Meta(description="Entries are removed after this long; 0: they are kept.")
    ] = timedelta(0)
    forward_to: Annotated[
        str,
        Meta(
            pattern=r"^(tcp://[^/\s]+:\d{1,5}|/\S+)?$",
            description="Entries are also sent here, each a line of JSON, at least once: `tcp://host:port`, "
            "or the absolute path of a file.",
        ),
    ] = ""


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is logged and how."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least level that is logged.")
    ] = "info"
    format: Annotated[
        Literal["auto", "console", "json"], Meta(description="`auto`: console on a terminal, else JSON.")
    ] = "auto"
    requests: Annotated[bool, Meta(description="Whether every request gets a line in the log.")] = False


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of one process."""

    data: Annotated[str, Meta(description="Data directory.")] = "./data"
    listen: Annotated[
        str,
        Meta(
            pattern=r"^(\[[0-9a-fA-F:.]+\]|[^:\[\]]*):\d{1,5}$", description="Address and port to serve on."
        ),
    ] = "127.0.0.1:5000"
    external_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/?#]+)?$",
            description="How clients reach the service, such as `https://registry.example.org`; "
            "default: the Host header.",
        ),
    ] = ""
    trusted_proxies: Annotated[
        str,
        Meta(
            description="Networks of the proxies in front, such as `10.0.0.0/8`, between commas. What they "
            "say of where a request comes from (`X-Forwarded-For`) is believed."
        ),
    ] = ""
    processes: Annotated[int, Meta(ge=0, le=256, description="Web processes; 0: one per core.")] = 0
    admin_password: Annotated[
        Secret,
        Meta(
            description="Password of the user `admin`, set at start: 8 to 128 characters, with upper case, "
            "lower case and a digit. `make up` generates one."
        ),
    ] = Secret("")
    shutdown_grace: Annotated[
        timedelta, Meta(description="How long running transfers may take to end at a stop.")
    ] = timedelta(seconds=30)
    postgres_prefix: Annotated[
        str,
        Meta(
            description="`make up`: take PostgreSQL from here (`<prefix>/bin/postgres`) instead of the wheel."
        ),
    ] = ""
    valkey_server: Annotated[
        str, Meta(description="`make up`: take this Valkey or Redis server program instead of the wheel's.")
    ] = ""
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    redis: RedisSettings = field(default_factory=RedisSettings)
    storage: StorageSettings = field(default_factory=StorageSettings)
    auth: AuthSettings = field(default_factory=AuthSettings)
    uploads: UploadSettings = field(default_factory=UploadSettings)
    manifests: ManifestSettings = field(default_factory=ManifestSettings)
    downloads: DownloadSettings = field(default_factory=DownloadSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    outgoing: OutgoingSettings = field(default_factory=OutgoingSettings)
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    workers: WorkerSettings = field(default_factory=WorkerSettings)
    log: LogSettings = field(default_factory=LogSettings)

    def __post_init__(self) -> None:
        try:
            _ = self.proxy_networks
        except ValueError as error:
            raise ValueError(f"trusted_proxies: {error}") from None
        groups = {"": self, "uploads.": self.uploads, "database.": self.database, "storage.": self.storage}
        for group, holder in groups.items():
            for name in holder.__struct_fields__:
                value = getattr(holder, name)
                if isinstance(value, timedelta) and value <= timedelta(0):
                    raise ValueError(f"{group}{name}: it has to be more than 0 seconds")
        self._keep_credentials_here()

    def _keep_credentials_here(self) -> None:
        """Refuse a place to send clients to whose name makes them take their credentials along."""
        ours = urlsplit(self.external_url).hostname
        elsewhere = {
            "downloads.cdn_url": self.downloads.cdn_url,
            "storage.public_endpoint": self.storage.public_endpoint,
        }
        if self.downloads.redirect_bytes and not any(elsewhere.values()):
            elsewhere["storage.endpoint"] = self.storage.endpoint
        for name, url in elsewhere.items():
            theirs = urlsplit(url).hostname
            if ours and theirs and f".{theirs}".endswith(f".{ours}"):
                raise ValueError(
                    f"{name}: {theirs} must not be {ours} or below it, for clients would send their "
                    "credentials along"
                )

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`trusted_proxies` as networks."""
        return tuple(map(ip_network, listed(self.trusted_proxies)))

    @property
    def data_path(self) -> Path:
        """The data directory as an absolute path."""
        return Path(self.data).absolute()

    @property
    def storage_root(self) -> Path:
        """Root directory of the filesystem driver."""
        return Path(self.storage.root).absolute() if self.storage.root else self.data_path / "storage"

    @property
    def listen_address(self) -> tuple[str, int]:
        """`listen` as host and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]") or "0.0.0.0", int(port)
