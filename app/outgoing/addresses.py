"""Which addresses may be called for users: public ones, and what the operator allows."""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from app.settings import OutgoingSettings

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_NOT_PUBLIC: Final[tuple[Network, ...]] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",
            "100.64.0.0/10",  # carriers' own; Alibaba's metadata
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's host, which answers every machine there
            "169.254.0.0/16",  # the link; metadata of most clouds
            "172.16.0.0/12",
            "192.0.0.0/24",  # of protocols; Oracle's metadata
            "192.0.2.0/24",  # for documents, as the next ones
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",
            "198.18.0.0/15",  # for measurements
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
            "2001::/23",  # of protocols: Teredo, which hides an address, and others
            "2001:db8::/32",  # for documents
            "3fff::/20",
        ),
    )
)
_GLOBAL_V6: Final = IPv6Network("2000::/3")
"""All that was ever given out; loopback, link-local, private and multicast ones lie outside."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = IPv6Network("::/96")
_LAST_32_BITS: Final = 0xFFFFFFFF


class Addresses:
    """The rule of one process."""

    def __init__(self, settings: OutgoingSettings) -> None:
        self._allow = settings.allow_networks
        self._deny = settings.deny_networks

    def takes(self, text: str) -> bool:
        """Whether the address, as the system writes it, may be called."""
        address = _reached(ip_address(text.partition("%")[0]))
        if _is_in(self._deny, address):
            return False
        return _is_in(self._allow, address) or _is_public(address)

    def refuses(self, host: str) -> bool:
        """Whether it needs no look-up to know that the host may not be called."""
        meant = _meant(host)
        return bool(meant) and not any(map(self.takes, meant))


def _meant(host: str) -> tuple[str, ...]:
    """Return the addresses that a host says itself, as sockets understand it; none where it is a name."""
    host = host.partition("%")[0].lower()
    if f".{host.removesuffix('.')}".endswith(".localhost"):
        return ("127.0.0.1", "::1")
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return ()
    return tuple(str(address[0]) for *_, address in found)


def _reached(address: Address) -> Address:
    """Return the address of version 4 that one of version 6 leads to, else the address."""
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and (address in _NAT64 or (address in _COMPATIBLE and int(address) > 1)):
        inner = IPv4Address(int(address) & _LAST_32_BITS)
    return inner or address


def _is_public(address: Address) -> bool:
    return not _is_in(_NOT_PUBLIC, address) and (isinstance(address, IPv4Address) or address in _GLOBAL_V6)


def _is_in(networks: tuple[Network, ...], address: Address) -> bool:
    return any(address in network for network in networks)
