"""The settings of calls to servers that users name."""

from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from msgspec import Meta, Struct

from app.settings.lists import listed


class OutgoingSettings(Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """Calls to servers that users name, such as webhooks: which networks they may reach."""

    allow: Annotated[
        str,
        Meta(
            description="Networks, such as `10.20.0.0/16`, between commas, that may be called although they "
            "are not public; none but public ones otherwise. `make up` with its own PostgreSQL allows "
            "loopback."
        ),
    ] = ""
    deny: Annotated[
        str,
        Meta(description="Networks, between commas, that are never called, whatever `allow` says."),
    ] = ""

    def __post_init__(self) -> None:
        for name in ("allow", "deny"):
            try:
                _ = getattr(self, f"{name}_networks")
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None

    @cached_property
    def allow_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`allow` as networks."""
        return tuple(map(ip_network, listed(self.allow)))

    @cached_property
    def deny_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`deny` as networks."""
        return tuple(map(ip_network, listed(self.deny)))
