"""Where a dip may connect to."""

import socket

import pytest

from callcenter.domain.dips.addresses import is_public, may_connect

PRIVATE = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "2002:7f00:1::1",
    "2002:a00:1::",
    "ff02::1",
    "224.0.0.1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_ours_or_nobodys_is_not_public(address: str) -> None:
    assert not may_connect(address, allow_private=False)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)
    assert may_connect(address, allow_private=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "fd00::1", "169.254.7.7"])
def test_private_ones_where_the_source_allows_it(address: str) -> None:
    assert may_connect(address, allow_private=True)


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "0.0.0.0", "::", "224.0.0.1", "ff02::1"])
def test_never_even_if_allowed(address: str) -> None:
    assert not may_connect(address, allow_private=True)


@pytest.mark.parametrize("text", ["", "example.com", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "1.2.3.4.5"])
def test_what_is_no_address_is_not_connected_to(text: str) -> None:
    assert not may_connect(text, allow_private=True)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_odd_spellings_of_the_loopback_resolve_to_what_is_refused(host: str) -> None:
    """The judgement is on what ``getaddrinfo`` makes of them."""
    found = socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
    assert found
    assert not any(may_connect(str(info[4][0]), allow_private=False) for info in found)
