"""Whom we call: which URLs a station may give as its own, and which IP addresses may be behind them.

Rule 1  Checked is what is connected to: the address of the socket that is about to be opened, after DNS. A name that
        means something else a moment later, or a number in a strange spelling, changes nothing.
Rule 2  Link-local addresses and the metadata services of clouds are never called, whatever the settings are.
Rule 3  An address that stands for an IPv4 address is judged as that one.
"""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from yarl import URL

from csms_platform.callbacks import LONGEST

_Address = IPv4Address | IPv6Address
_Networks = tuple[IPv4Network | IPv6Network, ...]


def _networks(*names: str) -> _Networks:
    return tuple(ip_network(name) for name in names)


_NEVER = _networks(
    "0.0.0.0/8",  # this host
    "100.100.100.200/32",  # metadata
    "168.63.129.16/32",  # metadata
    "169.254.0.0/16",  # link-local; metadata
    "192.0.0.0/24",  # protocol assignments; metadata
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved; broadcast
    "2001::/32",  # Teredo
    "fd00:ec2::/32",  # metadata
    "fd00:42::42/128",  # metadata
    "fd20:ce::254/128",  # metadata
)
_PRIVATE = _networks(
    "10.0.0.0/8",
    "100.64.0.0/10",  # shared address space, behind carriers' NAT
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",  # benchmarks
    "::1/128",
    "fc00::/7",  # unique local
)
_PUBLIC = _networks("0.0.0.0/0", "2000::/3")  # of IPv6 only this much is global unicast

# Networks whose addresses hold an IPv4 address, and how many bits stand behind it.
_HOLDING = (
    (IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (IPv6Network("2002::/16"), 80),  # 6to4
)


class ForbiddenAddressError(OSError):
    """Nothing was connected: the address is one that is not called. Its text is a sentence."""


def read_url(text: str) -> URL | str:
    """The URL at which a station can be called, or a sentence that says why it cannot."""
    if len(text) > LONGEST or not text.isprintable() or " " in text:
        return f"The station's address has spaces, unprintable characters or more than {LONGEST}."
    try:
        url = URL(text)
    except (ValueError, IndexError):  # IndexError: of brackets in the wrong place
        return "The station's address is not a URL."
    if url.scheme not in ("http", "https") or not url.raw_host or not url.port:
        return "The station's address is not one of http or https."
    if url.raw_user is not None or url.raw_password is not None:
        return "The station's address holds a user name or a password: such addresses are not called."
    return url


def forbidden(address: str, private_networks: bool) -> str:
    """Why nothing is sent to this IP address, as a sentence; "" when it may be called."""
    try:
        # A zone makes a name of a number: connecting to it would ask DNS, and might find somebody else.
        meant = None if "%" in address else _meant(ip_address(address))
    except ValueError:
        meant = None
    if meant is None:
        return f"{address} is not an IP address."
    if _is_in(meant, _NEVER) or not _is_in(meant, _PUBLIC + _PRIVATE):
        return f"{address} is an address that stations cannot have."
    if _is_in(meant, _PRIVATE) and not private_networks:
        return f"{address} is in a private network: such addresses are not called."
    return ""


def _meant(address: _Address) -> _Address:
    for network, behind in _HOLDING:
        if address in network:
            return IPv4Address(int(address) >> behind & 0xFFFFFFFF)
    return address


def _is_in(address: _Address, networks: _Networks) -> bool:
    return any(address in network for network in networks)


def open_socket(private_networks: bool, info: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
    """A socket for this result of `getaddrinfo`. Raises `ForbiddenAddressError`, and `OSError` when there is none."""
    family, kind, protocol, _, address = info
    if why := forbidden(address[0], private_networks):
        raise ForbiddenAddressError(why)
    return socket.socket(family, kind, protocol)
