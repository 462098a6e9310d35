"""Reading a Helm chart's archive in memory, with limits on all that it can say of itself."""

import io
import tarfile
import zlib
from itertools import islice
from typing import Final

from msgspec import Struct

MAX_ARCHIVE_BYTES: Final = 8 << 20
_MAX_UNPACKED_BYTES: Final = 32 << 20
_MAX_FILE_BYTES: Final = 4 << 20
_MAX_MEMBERS: Final = 10_000
_GZIP: Final = 31  # zlib's number for a gzip header


class ChartUnreadable(Exception):
    """It is no archive of a chart, or unpacks to more than is looked at."""


class ChartFile(Struct, frozen=True):
    """A member of the archive."""

    name: str
    type: str
    size: int


class Chart(Struct, frozen=True):
    """What is in the archive, and the text that is shown of it, empty where there is none."""

    files: list[ChartFile]
    readme: bytes
    values: bytes


def read_chart(archive: bytes) -> Chart:
    """Return what is in a chart's archive; raise ChartUnreadable.

    Text comes from plain files in the chart's own directory only: no links, nothing of charts inside.
    """
    files: list[ChartFile] = []
    texts: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(_unpacked(archive)), mode="r:") as tar:
            for member in islice(iter(tar.next, None), _MAX_MEMBERS):
                files.append(_file(member))
                texts |= _text(tar, member)
    except (tarfile.TarError, zlib.error, ValueError, ArithmeticError, OSError, EOFError) as error:
        raise ChartUnreadable(str(error)) from error
    except RecursionError:
        # Every header that says more of the next one takes a few frames of the stack.
        raise ChartUnreadable("it has too many headers for one member") from None
    return Chart(files, texts.get("readme.md", b""), texts.get("values.yaml", b""))


def _text(tar: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, bytes]:
    """Return what is in a member by its name in the chart, if it is text that is shown."""
    directory, _, name = member.name.removeprefix("./").lower().partition("/")
    is_shown = directory and name in {"readme.md", "values.yaml"} and member.isreg()
    content = tar.extractfile(member) if is_shown and member.size <= _MAX_FILE_BYTES else None
    return {} if content is None else {name: content.read(_MAX_FILE_BYTES)}


def _unpacked(archive: bytes) -> bytes:
    unpacking = zlib.decompressobj(_GZIP)
    content = unpacking.decompress(archive, _MAX_UNPACKED_BYTES)
    if unpacking.unconsumed_tail:
        raise ChartUnreadable(f"it unpacks to more than {_MAX_UNPACKED_BYTES} bytes")
    return content


def _file(member: tarfile.TarInfo) -> ChartFile:
    name = member.name.encode(errors="replace").decode()
    return ChartFile(name, "directory" if member.isdir() else "file", member.size)
