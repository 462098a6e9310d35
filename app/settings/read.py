"""Reading settings.

A setting comes from the environment (`ROADSTEAD_DATABASE_URL`), else from the TOML file that
`ROADSTEAD_CONFIG` names (`[database]` / `url = ...`), else from its default in the table.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from app.settings.secret import Secret
from app.settings.table import Settings

PREFIX: Final = "ROADSTEAD_"
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*?)`(?: - at `\$\.(.*)`)?", re.DOTALL)


class SettingsError(Exception):
    """A setting is wrong: the message names it and says what to do."""


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
            raise SettingsError(_no_setting(name, known))
        setting = known[name]
        target = table.setdefault(setting.group, {}) if setting.group else table
        if not isinstance(target, dict):
            raise SettingsError(
                f"`{setting.group}` in the settings file has to be a table: [{setting.group}]."
            )
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


def _names() -> Iterator[str]:
    """Yield every setting by its name in the file."""
    for setting in describe():
        yield f"{setting.group}.{setting.name}".lstrip(".")


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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}.") from None


def _decode(kind: type, value: object) -> object:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError(f"Expected `str`, got `{type(value).__name__}`")


def _no_setting(wrong: str, known: Iterable[str]) -> str:
    near = get_close_matches(wrong, known, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"{wrong} is not a setting.{meant} `roadstead settings` lists them all."


def _explain(message: str) -> str:
    """Turn msgspec's "... - at `$.database.url`" into a sentence that names the setting."""
    unknown = _UNKNOWN.fullmatch(message)
    if unknown is not None:
        wrong = ".".join(filter(None, (unknown[2], unknown[1])))
        groups = [f"[{group}]" for group, _ in _groups() if group]
        return f"In the settings file, {_no_setting(wrong, [*_names(), *groups])}"
    reason, _, path = message.partition(" - at `$.")
    name = path.rstrip("`")
    field, colon, rest = reason.partition(": ")
    if colon and field.replace(".", "").isidentifier():
        name, reason = f"{name}.{field}".lstrip("."), rest
    if not name:
        return f"Settings: {reason}. `roadstead settings` lists them all."
    env = PREFIX + name.replace(".", "_").upper()
    return f"{env} is wrong: {reason}. See docs/configuration.md, or `roadstead settings` for all of them."
