"""What a link to a blob is for."""

from datetime import datetime

from msgspec import Struct

from app.oci.digest import Digest


class Presented(Struct, frozen=True):
    """How the content is to be presented to whoever follows a link; empty: as we would."""

    content_type: str = ""
    disposition: str = ""


class Link(Struct, frozen=True):
    """What a link opens: one blob, as one repository has it (empty: any), until a moment."""

    digest: Digest
    repository: str
    expires_at: datetime
    presented: Presented
    elsewhere: str = ""
    """The URL that opens the same without us; empty: only we have it."""
