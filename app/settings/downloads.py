"""The settings of downloads."""

from datetime import timedelta
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Final

from msgspec import Meta, Struct

from app.settings.lists import listed

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

    def __post_init__(self) -> None:
        try:
            _ = self.networks
        except ValueError as error:
            raise ValueError(f"proxied_networks: {error}") from None
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
