"""Who is really at the other end, when proxies stand between: `X-Forwarded-*` and the PROXY protocol's header.

What a proxy says is believed only when it comes from one of the addresses that the operator has named; of a chain of
them only the part that they have written themselves. Nothing here raises for what a peer sends.
"""

import socket
import struct
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

Header = Callable[[str], Sequence[str]]

V1, V2 = b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n"
LONGEST_V1 = 107  # PROXY protocol §2.1, with its CRLF
LONGEST = 16 + 4096  # of version 2: what follows the addresses is skipped


class Origin(NamedTuple):
    """Where a request comes from: address, whether it was encrypted, and the common name of a verified certificate."""

    peer: str
    tls: bool = False
    subject: str = ""


class Proxies:
    """`networks` are those of the proxies; `name_header` is the one in which they tell a certificate's common name."""

    def __init__(self, networks: Sequence[str] = (), name_header: str = "") -> None:
        """Raises `ValueError`, with a sentence, for what is no network."""
        self._networks = [_network(text) for text in networks]
        self._name_header = name_header

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._networks)

    def trust(self, peer: str) -> bool:
        """Whether this address is one of theirs."""
        return bool(self._networks) and self._trusts(_address(peer))

    def origin(self, direct: Origin, header: Header) -> Origin:
        """Of a request that came by `direct`; `header(name)` gives the values of all its headers of this name."""
        if not self.trust(direct.peer):
            return direct
        proto = _items(header("X-Forwarded-Proto"))
        tls = proto[-1].lower() in ("https", "wss") if proto else direct.tls
        names = header(self._name_header) if self._name_header and tls else ()
        subject = names[-1].strip() if names else "" if self._name_header else direct.subject
        return Origin(self._client(direct.peer, _items(header("X-Forwarded-For"))), tls, subject)

    def _client(self, peer: str, hops: list[str]) -> str:
        """The last hop that none of ours is; each proxy adds the address that it saw at the end."""
        for hop in reversed(hops):
            address = _address(hop)
            if address is None:
                return peer
            peer = str(address)
            if not self._trusts(address):
                return peer
        return peer

    def _trusts(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


NO_PROXIES = Proxies()


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is neither an address nor a network, such as 10.0.0.0/8") from None


def _items(values: Sequence[str]) -> list[str]:
    return [item.strip() for value in values for item in value.split(",") if item.strip()]


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address of `text`, with a port or without; IPv4 that is written as IPv6 is IPv4."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


# --- the PROXY protocol -----------------------------------------------------------------------------------------------


class Introduced(NamedTuple):
    """A header was read: it is `length` bytes long. `peer` is "" when the proxy speaks for itself (a health check)."""

    peer: str
    length: int


class UnreadableError(ValueError):
    """What comes is no PROXY header; the connection is to be dropped (PROXY protocol §2: "MUST NOT guess")."""


def introduced(data: bytes) -> Introduced | None:
    """The header at the beginning of `data`; None: more has to come. Raises `UnreadableError`."""
    if data[: len(V2)] == V2[: len(data)]:
        return _read_v2(data)
    if data[: len(V1)] == V1[: len(data)]:
        return _read_v1(data)
    raise UnreadableError("no PROXY header")


def _read_v1(data: bytes) -> Introduced | None:
    line, end, _ = data[:LONGEST_V1].partition(b"\r\n")
    if not end:
        if len(data) >= LONGEST_V1:
            raise UnreadableError("a PROXY line that is too long")
        return None
    words = line.decode("latin-1").split(" ")
    if words[1:2] == ["UNKNOWN"]:
        return Introduced("", len(line) + 2)
    address = _address(words[2]) if len(words) == 6 and words[1] in ("TCP4", "TCP6") else None
    if address is None:
        raise UnreadableError("a PROXY line that names no address")
    return Introduced(str(address), len(line) + 2)


def _read_v2(data: bytes) -> Introduced | None:
    if len(data) < 16:
        return None
    command, family, size = struct.unpack_from("!BBH", data, 12)
    if command >> 4 != 2 or command & 15 > 1 or size > LONGEST - 16:
        raise UnreadableError("a PROXY header of another version")
    if len(data) < 16 + size:
        return None
    # §2.2: LOCAL is the proxy's own connection, and families other than TCP over IP are to be taken like that.
    if command & 15 == 0 or family not in (0x11, 0x21):
        return Introduced("", 16 + size)
    kind, bytes_each = (socket.AF_INET, 4) if family == 0x11 else (socket.AF_INET6, 16)
    if size < 2 * bytes_each + 4:
        raise UnreadableError("a PROXY header without its addresses")
    address = _address(socket.inet_ntop(kind, data[16 : 16 + bytes_each]))
    return Introduced(str(address), 16 + size)
