"""Links to blobs: by digest, one or many, and what a link of ours opens."""

from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from app.access import Permission, ProjectCall
from app.access.routing import API, api, require
from app.blobs.send import send_blob
from app.downloads import links
from app.downloads.model import Link, Presented
from app.downloads.schemas import (
    BlobLink,
    BlobLinkError,
    BlobLinkResult,
    LinkParams,
    LinksRequest,
    NamedLinkParams,
    SignedParams,
)
from app.downloads.signing import LinkSigner
from app.harbor.errors import BadRequest, Forbidden, NotFound
from app.http import base_url
from app.oci.digest import Digest
from app.oci.errors import DigestInvalid, NameInvalid
from app.oci.names import RepositoryName
from app.resources import resources

LINK_SIGNER: Final = web.AppKey("link_signer", LinkSigner)

_GONE: Final = "there is no such blob here"
_GONE_OF_MANY: Final = BlobLinkError(NotFound.code, _GONE)
_NO_DIGEST: Final = BlobLinkError(BadRequest.code, "this is no digest")
_HARMLESS: Final = {
    "Content-Disposition": "attachment",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private",
    "Referrer-Policy": "no-referrer",
}
"""Whatever is in a blob, it must not act as a page of ours, and a link must not be told to others."""


async def get_blob_link(request: web.Request, digest: str, query: LinkParams) -> BlobLink:
    """Get a URL that opens a blob for a while, without credentials."""
    return await _link(request, digest, query)


async def get_named_blob_link(request: web.Request, query: NamedLinkParams) -> BlobLink:
    """Get the same for a digest in the query."""
    return await _link(request, query.digest, query)


async def get_blob_links(request: web.Request, body: LinksRequest) -> list[BlobLinkResult]:
    """Get URLs for many blobs of a repository at once, each of which may be missing."""
    call = await _permitted(request, body.repository)
    parsed = {text: _digest(text) for text in body.digests}
    digests = [digest for digest in parsed.values() if digest is not None]
    made = await links.make_links(resources(request), call, digests, wanted=body)
    return [_shown_of_many(request, text, digest=parsed[text], made=made) for text in body.digests]


async def get_shared_blob(request: web.Request, digest: str, query: SignedParams) -> web.StreamResponse:
    """Get what a link of ours opens."""
    link = Link(
        _parsed(digest),
        query.repository,
        datetime.fromtimestamp(query.expires, UTC),
        Presented(query.content_type, query.content_disposition),
    )
    if not request.app[LINK_SIGNER].is_signed(link, query.signature):
        raise Forbidden("the link is not one of ours, or it was changed")
    size = await links.find_size(resources(request), link)
    if size is None:
        raise NotFound("the link is over, or the blob was deleted; ask for another link")
    return await send_blob(request, link.digest, size, instead=_presented(link.presented))


async def _link(request: web.Request, text: str, wanted: LinkParams) -> BlobLink:
    call = await _permitted(request, wanted.repository)
    digest = _parsed(text)
    made = await links.make_links(resources(request), call, [digest], wanted=wanted)
    if digest not in made:
        raise NotFound(_GONE)
    return _shown(request, made[digest])


async def _permitted(request: web.Request, repository: str) -> ProjectCall:
    """Let in who may pull from the repository, or without one an administrator.

    A token is for the repositories that it names, whoever has asked for it.
    """
    if not repository:
        call = await require(request, Permission.LOGIN)
        if call.actor.grants is not None or not call.standing.is_sysadmin:
            raise Forbidden(
                "repository: name one that has the blob; only administrators with a password need none"
            )
        return call
    try:
        name = RepositoryName.parse(repository)
    except NameInvalid:
        raise BadRequest("repository: this cannot be the name of a repository") from None
    return await require(request, Permission.PULL, project_name=name.project, repository=name)


def _parsed(text: str) -> Digest:
    digest = _digest(text)
    if digest is None:
        raise BadRequest("digest: `sha256:` and 64 hexadecimal digits, or `sha512:` and 128")
    return digest


def _digest(text: str) -> Digest | None:
    try:
        return Digest.parse(text)
    except DigestInvalid:
        return None


def _shown_of_many(
    request: web.Request, text: str, *, digest: Digest | None, made: dict[str, Link]
) -> BlobLinkResult:
    if digest is None:
        return BlobLinkResult(text, error=_NO_DIGEST)
    if digest not in made:
        return BlobLinkResult(text, error=_GONE_OF_MANY)
    shown = _shown(request, made[digest])
    return BlobLinkResult(text, url=shown.url, expires_at=shown.expires_at)


def _shown(request: web.Request, link: Link) -> BlobLink:
    """Return the link as a URL of the storage or the CDN, or of ours where only we have the blob."""
    if link.elsewhere:
        return BlobLink(link.elsewhere, link.expires_at)
    query = request.app[LINK_SIGNER].query(link)
    return BlobLink(f"{base_url(request)}{API}/blobs/{link.digest}/content?{query}", link.expires_at)


def _presented(presented: Presented) -> dict[str, str]:
    chosen = {"Content-Type": presented.content_type, "Content-Disposition": presented.disposition}
    return _HARMLESS | {name: value for name, value in chosen.items() if value}


_blob = api("blob")
_ERRORS: Final = (400, 401, 403, 404)

ROUTES: Final = (
    _blob("GET", "/blobs/url", get_named_blob_link, permission=Permission.EVERYBODY, errors=_ERRORS),
    _blob(
        "POST",
        "/blobs/urls",
        get_blob_links,
        permission=Permission.EVERYBODY,
        errors=(400, 401, 403),
        works_read_only=True,
    ),
    _blob("GET", "/blobs/{digest}/url", get_blob_link, permission=Permission.EVERYBODY, errors=_ERRORS),
    _blob(
        "GET",
        "/blobs/{digest}/content",
        get_shared_blob,
        permission=Permission.ANYONE,
        errors=(400, 403, 404, 416),
    ),
)
