"""Every setting of Roadstead: its name, type, default and meaning, in one table.

A setting comes from the environment (`ROADSTEAD_DATABASE_URL`), else from the TOML file that
`ROADSTEAD_CONFIG` names (`[database]` / `url = ...`), else from its default here.
`docs/configuration.md` is generated from this module.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

PREFIX = "ROADSTEAD_"

Bytes: TypeAlias = Annotated[int, Meta(ge=0)]


class Secret(str):
    """A value that prints as asterisks wherever it is shown; `str(secret)` is the value itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class SettingsError(Exception):
    """A setting is wrong: the message names it and says what to do."""


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
    """Redis or Valkey: job queues. May be lost at any moment without losing an event."""

    url: Annotated[
        Secret, Meta(description="`redis://`, `rediss://` or `unix://` URL. Required by workers.")
    ] = Secret("")


class StorageSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where content bytes lie."""

    driver: Annotated[Literal["filesystem"], Meta(description="Storage driver.")] = "filesystem"
    root: Annotated[
        str, Meta(description="Directory of the filesystem driver; default: `storage` in the data directory.")
    ] = ""


class AuthSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Tokens and first identity."""

    secret_key: Annotated[
        Secret,
        Meta(description="32 characters or more, the same in every process; keys come from it. Required."),
    ] = Secret("")
    service: Annotated[
        str, Meta(min_length=1, description="Name of this service in tokens and challenges.")
    ] = "roadstead"
    token_lifetime: Annotated[timedelta, Meta(description="How long a registry token is good for.")] = (
        timedelta(minutes=5)
    )
    create_projects_on_push: Annotated[
        bool, Meta(description="A push by an administrator to an unknown project creates it (private).")
    ] = True


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
    chunk_min_length: Annotated[
        Bytes,
        Meta(
            description="Smallest chunk, in bytes, that clients are asked to send (`OCI-Chunk-Min-Length`)."
        ),
    ] = 0


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


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is logged and how."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least level that is logged.")
    ] = "info"
    format: Annotated[
        Literal["auto", "console", "json"], Meta(description="`auto`: console on a terminal, else JSON.")
    ] = "auto"
    requests: Annotated[
        Literal["all", "errors", "none"], Meta(description="Which requests get a line in the log.")
    ] = "errors"


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
    processes: Annotated[int, Meta(ge=0, le=256, description="Web processes; 0: one per core.")] = 0
    admin_password: Annotated[
        Secret, Meta(description="Password of the user `admin`, set at start. `make up` generates one.")
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
    log: LogSettings = field(default_factory=LogSettings)

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


class Described(Struct, frozen=True):
    """One row of the table of settings."""

    env: str
    group: str
    name: str
    type: str
    default: object
    description: str


def describe() -> Iterator[Described]:
    """Yield every setting in the order of the table."""
    for group, struct in _groups():
        for info in msgspec.inspect.type_info(struct).fields:  # type: ignore[attr-defined]  # a StructType has fields
            if isinstance(getattr(info.type, "cls", None), type) and issubclass(info.type.cls, Struct):
                continue
            meta, kind = _unwrap(info.type)
            yield Described(
                env=_env_name(group, info.name),
                group=group,
                name=info.name,
                type=kind,
                default=info.default,
                description=meta,
            )


def load(env: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raise SettingsError that names the first wrong one and the remedy."""
    table = _read_file(env.get(f"{PREFIX}CONFIG", ""))
    known = {d.env: d for d in describe()}
    for name, value in env.items():
        if not name.startswith(PREFIX) or name == f"{PREFIX}CONFIG":
            continue
        if name not in known:
            raise SettingsError(f"{name} is not a setting. `roadstead settings` lists them all.")
        setting = known[name]
        target = table.setdefault(setting.group, {}) if setting.group else table
        target[setting.name] = value
    try:
        return msgspec.convert(table, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise SettingsError(_explain(str(error))) from None


def require(settings: Settings, *names: str) -> None:
    """Raise SettingsError unless each dotted setting (`database.url`) has a value."""
    for name in names:
        value: object = settings
        for part in name.split("."):
            value = getattr(value, part)
        if not value:
            env = PREFIX + name.replace(".", "_").upper()
            raise SettingsError(
                f"{env} is not set. Set it in the environment or as `{name}` in the settings file."
            )


def effective(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each setting's environment name and its value as text, secrets as asterisks."""
    for setting in describe():
        holder = getattr(settings, setting.group) if setting.group else settings
        value = getattr(holder, setting.name)
        yield setting.env, ("***" if value else "") if isinstance(value, Secret) else show(value)


def show(value: object) -> str:
    """Print a value the way it is written in the environment."""
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _groups() -> Iterator[tuple[str, type[Struct]]]:
    yield "", Settings
    for name, kind in Settings.__annotations__.items():
        if isinstance(kind, type) and issubclass(kind, Struct):
            yield name, kind


def _env_name(group: str, name: str) -> str:
    return PREFIX + (f"{group}_{name}" if group else name).upper()


def _unwrap(kind: Any) -> tuple[str, str]:  # noqa: ANN401 - msgspec's type tree has no common base with fields
    description = ""
    if isinstance(kind, msgspec.inspect.Metadata):
        description = (kind.extra_json_schema or {}).get("description", "")
        kind = kind.type
    match kind:
        case msgspec.inspect.LiteralType():
            return description, " \\| ".join(f"`{v}`" for v in sorted(map(str, kind.values)))
        case msgspec.inspect.TimeDeltaType():
            return description, "seconds"
        case msgspec.inspect.CustomType():
            return description, "secret"
        case _:
            return description, type(kind).__name__.removesuffix("Type").lower()


def _read_file(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{PREFIX}CONFIG names {path}, which cannot be read: {error.strerror}.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}.") from None


def _decode(kind: type, value: object) -> object:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise NotImplementedError(kind)


def _explain(message: str) -> str:
    """Turn msgspec's "... - at `$.database.url`" into a sentence that names the setting."""
    reason, _, path = message.partition(" - at `$.")
    name = path.rstrip("`")
    if not name:
        return f"Settings: {reason}."
    env = PREFIX + name.replace(".", "_").upper()
    return f"{env} is wrong: {reason}. See docs/configuration.md, or `roadstead settings` for all of them."
