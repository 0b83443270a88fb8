"""Which addresses a data dip may connect to: none of our own machine and network unless its source says so (SSRF).

The judgement is on the address that is connected to, not on a name, so that neither a name that resolves to a private
address, nor one that resolves differently the second time, nor a number written in octal or as one integer gets by.
"""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052: an IPv4 address is embedded in its last 32 bits."""
_EVEN_IF_ALLOWED = (ipaddress.ip_network("169.254.169.254/32"), ipaddress.ip_network("fd00:ec2::254/128"))
"""The metadata services of cloud machines hand out credentials; nobody's customer data lives there."""


def is_public(text: str) -> bool:
    """Whether everybody's network leads there. IPv6 forms that hold an IPv4 address are judged by that one."""
    return all(_is_public(address) for address in _forms(text))


def may_connect(text: str, *, allow_private: bool) -> bool:
    """``text`` is an address as ``getaddrinfo`` gives it; what is none may not be connected to."""
    forms = _forms(text)
    if not forms or any(address in network for address in forms for network in _EVEN_IF_ALLOWED if address.version == network.version):
        return False
    if any(address.is_multicast or address.is_unspecified for address in forms):
        return False
    return allow_private or all(_is_public(address) for address in forms)


def _forms(text: str) -> tuple[Address, ...]:
    """The address, and the IPv4 addresses inside it."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ()
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    inside: list[Address] = [address]
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        inside.append(address.sixtofour)
    if address.teredo is not None:
        inside.extend(address.teredo)
    if address in _NAT64 or int(address) >> 32 == 0:  # or an "IPv4-compatible" address (RFC 4291, deprecated)
        inside.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(inside)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address in _NAT64:
        return True  # its inside is judged
    return address.is_global and not address.is_multicast and not address.is_reserved
