"""Links that open a blob for whoever has them: signed with our key, so that nothing about them is stored."""

from urllib.parse import urlencode

from app.downloads.model import Link
from app.settings import AuthSettings
from app.storage import UrlSigner


class LinkSigner:
    """Signs with the installation's key, and accepts what a previous one signed."""

    def __init__(self, settings: AuthSettings) -> None:
        self._signer = UrlSigner(settings.keys_for(b"roadstead download link 1"))

    def query(self, link: Link) -> str:
        """Return the query string of the link's URL."""
        said = {
            "repository": link.repository,
            "expires": str(_seconds(link)),
            "content_type": link.presented.content_type,
            "content_disposition": link.presented.disposition,
        }
        shown = {name: value for name, value in said.items() if value}
        return urlencode({**shown, "signature": self._signer.sign(*_said(link))})

    def is_signed(self, link: Link, signature: str) -> bool:
        """Whether we signed it, with whichever key."""
        return self._signer.is_signed(signature, *_said(link))


def _said(link: Link) -> tuple[str | int, ...]:
    presented = link.presented
    return str(link.digest), link.repository, _seconds(link), presented.content_type, presented.disposition


def _seconds(link: Link) -> int:
    return int(link.expires_at.timestamp())
