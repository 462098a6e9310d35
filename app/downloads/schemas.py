"""What goes in and out of the endpoints for links to blobs."""

from datetime import datetime
from typing import Annotated, ClassVar, Final, TypeAlias

from msgspec import Meta, Struct

from app.downloads.model import Presented
from app.harbor.errors import BadRequest, Forbidden

LONGEST_SECONDS = 7 * 24 * 3600
MOST = 256

Seconds: TypeAlias = Annotated[
    int,
    Meta(
        description=f"How long the URL is good for, in seconds: 1 to {LONGEST_SECONDS}.",
        extra_json_schema={"minimum": 1, "maximum": LONGEST_SECONDS},
    ),
]
_END: Final = r"(?!\n)$"
"""The end of a text: `$` alone also stands before a line feed there, to Python and to nobody else."""

RepositoryParam: TypeAlias = Annotated[
    str, Meta(max_length=255, description="Repository that has the blob; only administrators need none.")
]
ContentType: TypeAlias = Annotated[
    str,
    Meta(
        max_length=255,
        pattern=r"^([A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(; ?[A-Za-z0-9_-]+=[A-Za-z0-9_.-]+)*)?" + _END,
        description="Content-Type to answer with, in place of `application/octet-stream`.",
    ),
]
Disposition: TypeAlias = Annotated[
    str,
    Meta(
        max_length=255,
        pattern=r"^((inline|attachment)(;[ -~]*)?)?" + _END,
        description='Content-Disposition to answer with, such as `attachment; filename="layer.tar.gz"`, '
        "or `attachment; filename*=UTF-8''%C3%BC.tgz` for names beyond ASCII.",
    ),
]


class LinkParams(Struct, frozen=True):
    """For whom, for how long, and how the content is to be presented."""

    refusal: ClassVar = BadRequest
    expires_in: Seconds = 3600
    repository: RepositoryParam = ""
    content_type: ContentType = ""
    content_disposition: Disposition = ""

    @property
    def presented(self) -> Presented:
        """The headers that were chosen: content of a type is not shown as a page unless that is, too."""
        disposition = "attachment" if self.content_type else ""
        return Presented(self.content_type, self.content_disposition or disposition)


class NamedLinkParams(LinkParams, frozen=True, kw_only=True):
    """The same for a blob that the query names."""

    digest: Annotated[str, Meta(max_length=255)]


class LinksRequest(LinkParams, frozen=True, kw_only=True):
    """The same for many blobs of one repository."""

    digests: Annotated[list[Annotated[str, Meta(max_length=255)]], Meta(min_length=1, max_length=MOST)]


class SignedParams(Struct, frozen=True):
    """What a link that we signed says."""

    refusal: ClassVar = Forbidden
    expires: Annotated[int, Meta(ge=0, le=2**37)]  # a time that Python can tell
    signature: Annotated[str, Meta(max_length=64)]
    repository: RepositoryParam = ""
    content_type: ContentType = ""
    content_disposition: Disposition = ""


class BlobLink(Struct, frozen=True):
    """Where the blob can be had, without credentials, until when."""

    url: str
    expires_at: datetime


class BlobLinkError(Struct, frozen=True):
    """Why there is no link."""

    code: str
    message: str


class BlobLinkResult(Struct, frozen=True, omit_defaults=True):
    """The link of one of many blobs, or why there is none."""

    digest: str
    url: str | None = None
    expires_at: datetime | None = None
    error: BlobLinkError | None = None
