"""Which addresses may be called for users."""

import pytest

from app.outgoing.addresses import Addresses
from app.settings import OutgoingSettings

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "192.167.255.255",
    "198.17.255.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
    "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1",
    "2002:101:101::1",
    "3ffe::1",
]
NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 - refused
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "4000::1",
]


def addresses(allow: str = "", deny: str = "") -> Addresses:
    return Addresses(OutgoingSettings(allow=allow, deny=deny))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_called(address: str) -> None:
    assert addresses().takes(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_others_may_not(address: str) -> None:
    assert not addresses().takes(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "fd12::1"]
)
def test_the_operator_allows_networks_by_whatever_address_leads_there(address: str) -> None:
    assert addresses(allow="127.0.0.0/8, fd12::/16").takes(address)


def test_what_is_allowed_allows_nothing_else() -> None:
    assert not addresses(allow="127.0.0.0/8").takes("10.0.0.1")
    assert not addresses(allow="10.0.0.0/8").takes("::1")


@pytest.mark.parametrize("address", ["10.0.0.7", "1.1.1.1", "::ffff:10.0.0.7"])
def test_what_is_denied_stays_so_within_what_is_allowed(address: str) -> None:
    assert not addresses(allow="10.0.0.0/8", deny="10.0.0.7, 1.1.1.0/24").takes(address)
    assert addresses(allow="10.0.0.0/8", deny="10.0.0.7, 1.1.1.0/24").takes("10.0.0.8")


@pytest.mark.parametrize("network", ["10.0.0.1/8", "everything", "10.0.0.0/33"])
def test_what_is_no_network_is_refused_at_the_start(network: str) -> None:
    with pytest.raises(ValueError, match="allow: "):
        OutgoingSettings(allow=network)
    with pytest.raises(ValueError, match="deny: "):
        OutgoingSettings(deny=network)


SAID = [
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "0177.0.0.1",
    "2130706433",
    "0",
    "10.0.0.1",
    "169.254.169.254",
    "::1",
    "::",
    "::ffff:7f00:1",
    "fe80::1%eth9",
    "localhost",
    "LocalHost.",
    "registry.localhost",
]


@pytest.mark.parametrize("host", SAID)
def test_a_host_that_says_its_address_is_refused_without_a_look_up(host: str) -> None:
    assert addresses().refuses(host)
    assert not addresses(allow="0.0.0.0/0, ::/0").refuses(host)


@pytest.mark.parametrize(
    "host", ["", "1.1.1.1", "2606:4700::1", "example.com", "localhost.example.com", "é" * 99]
)
def test_public_addresses_and_names_are_left_to_the_call(host: str) -> None:
    assert not addresses().refuses(host)


def test_localhost_is_allowed_by_either_of_its_addresses() -> None:
    assert not addresses(allow="127.0.0.0/8").refuses("localhost")
    assert not addresses(allow="::1").refuses("localhost")
