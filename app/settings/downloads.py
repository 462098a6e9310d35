"""The settings of downloads."""

from datetime import timedelta
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from app.settings.lists import listed
from app.settings.secret import Secret

_SHORTEST: Final = timedelta(seconds=1)
_LONGEST: Final = timedelta(days=7)


class DownloadSettings(Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """How blobs are downloaded."""

    redirect_bytes: Annotated[
        int,
        Meta(
            ge=0,
            description="Blobs of this size or more are downloaded from the storage itself, by a redirect "
            "to a signed URL, where the storage can sign; 0: none is.",
        ),
    ] = 0
    redirect_lifetime: Annotated[
        timedelta, Meta(description="How long such a URL can be followed, 7 days at most.")
    ] = timedelta(minutes=20)
    proxied_networks: Annotated[
        str,
        Meta(
            description="Networks, such as `10.0.0.0/8`, between commas: clients there are sent the bytes "
            "by us, as those who do not reach the storage."
        ),
    ] = ""
    proxied_agents: Annotated[
        str,
        Meta(
            description="Clients with one of these in their `User-Agent`, between commas, are sent the bytes "
            "by us, as those that do not follow a redirect."
        ),
    ] = ""

    cdn_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?)?$",
            description="A CDN, such as `https://blobs.example.org`: redirects and links lead there, not to "
            "the storage. It has the blobs below `/blobs/`, as the storage has them below its prefix.",
        ),
    ] = ""
    cdn_signing: Annotated[
        Literal["secure_link", "cloudfront"],
        Meta(
            description="How URLs of the CDN are signed: `secure_link` as nginx checks it, `cloudfront` by "
            "an RSA key."
        ),
    ] = "secure_link"
    cdn_key: Annotated[
        Secret,
        Meta(description="What they are signed with: the secret of nginx, or the private key in PEM."),
    ] = Secret("")
    cdn_key_id: Annotated[
        str, Meta(pattern="^[A-Z0-9]*$", description="CloudFront's name for the public key.")
    ] = ""

    def __post_init__(self) -> None:
        try:
            _ = self.networks
        except ValueError as error:
            raise ValueError(f"proxied_networks: {error}") from None
        if bool(self.cdn_url) != bool(self.cdn_key):
            missing = "cdn_key" if self.cdn_url else "cdn_url"
            raise ValueError(f"{missing}: set both downloads.cdn_url and downloads.cdn_key, or none of them")
        if bool(self.cdn_key_id) != (self.cdn_signing == "cloudfront"):
            raise ValueError("cdn_key_id: it belongs to the signing `cloudfront`, and that needs one")
        if not _SHORTEST <= self.redirect_lifetime <= _LONGEST:
            raise ValueError("redirect_lifetime: 1 second to 7 days")

    @cached_property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`proxied_networks` as networks."""
        return tuple(map(ip_network, listed(self.proxied_networks)))

    @cached_property
    def agents(self) -> list[str]:
        """`proxied_agents`, one by one."""
        return listed(self.proxied_agents)
