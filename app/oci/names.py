"""Names of repositories and tags (spec.md, "Pulling manifests": `<name>` and `<reference>`)."""

import re
from typing import Final, Self

from app.oci.digest import Digest
from app.oci.errors import NameInvalid

DEFAULT_PROJECT: Final = "library"
MAX_NAME_LENGTH: Final = 255

_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_PROJECT: Final = re.compile(_COMPONENT)
_TAG: Final = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


class RepositoryName(str):
    """A valid full name `project/path`; a single component belongs to the default project."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the full name; raise NameInvalid when it breaks the grammar or is over 255 characters."""
        if len(text) > MAX_NAME_LENGTH or _NAME.fullmatch(text) is None:
            raise NameInvalid(text[:MAX_NAME_LENGTH])
        return cls(text if "/" in text else f"{DEFAULT_PROJECT}/{text}")

    @property
    def project(self) -> str:
        """The first component."""
        return self.partition("/")[0]


class Tag(str):
    """A valid tag."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the tag; raise NameInvalid when it breaks the grammar."""
        if _TAG.fullmatch(text) is None:
            raise NameInvalid(text[:MAX_NAME_LENGTH])
        return cls(text)


def parse_project_name(text: str) -> str:
    """Return the name; raise NameInvalid unless it can be the first component of a repository name."""
    if len(text) > MAX_NAME_LENGTH or _PROJECT.fullmatch(text) is None:
        raise NameInvalid(text[:MAX_NAME_LENGTH])
    return text


def parse_reference(text: str) -> Tag | Digest:
    """Return a digest where there is a colon (no tag has one), else a tag.

    Raises:
        DigestInvalid, NameInvalid: it is neither.
    """
    return Digest.parse(text) if ":" in text else Tag.parse(text)
