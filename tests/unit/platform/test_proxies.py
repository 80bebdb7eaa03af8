"""Who is behind a proxy: believed from those that the operator names, and only as far as they have written it."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms_platform.proxies import V2, Introduced, Origin, Proxies, UnreadableError, introduced

PROXIES = Proxies(("10.0.0.0/8", "192.0.2.7", "2001:db8::/32"), "X-Client-Name")


def origin(peer: str, tls: bool = False, /, **headers: str | list[str]) -> Origin:
    told = {name.replace("_", "-").lower(): [v] if isinstance(v, str) else v for name, v in headers.items()}
    return PROXIES.origin(Origin(peer, tls), lambda name: told.get(name.lower(), []))


@pytest.mark.parametrize("peer", ["203.0.113.5", "192.0.2.8", "::1", ""])
def test_a_stranger_is_not_believed(peer: str) -> None:
    found = origin(peer, X_Forwarded_For="1.2.3.4", X_Forwarded_Proto="https", X_Client_Name="CS-1")

    assert found == Origin(peer)


@pytest.mark.parametrize(
    ("told", "client"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("1.2.3.4, 203.0.113.5", "203.0.113.5"),
        (["1.2.3.4", "203.0.113.5, 10.9.9.9"], "203.0.113.5"),
        ("203.0.113.5, 192.0.2.7, 10.1.1.1", "203.0.113.5"),
        ("10.2.2.2, 10.1.1.1", "10.2.2.2"),
        ("203.0.113.5:4711", "203.0.113.5"),
        ("[2a00::5]:4711", "2a00::5"),
        ("2a00::5", "2a00::5"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("203.0.113.5, unknown, 10.1.1.1", "10.1.1.1"),
        ("<script>", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_hop_that_no_proxy_is(told: str | list[str], client: str) -> None:
    assert origin("10.0.0.1", X_Forwarded_For=told).peer == client


def test_a_proxy_says_whether_the_station_spoke_tls_and_what_its_certificate_names() -> None:
    plain = origin("10.0.0.1", X_Client_Name="CS-1")
    secure = origin("::ffff:10.0.0.1", X_Forwarded_Proto="https", X_Client_Name="CS-1")
    downgraded = origin("10.0.0.1", True, X_Forwarded_Proto="http")

    assert (plain.tls, plain.subject) == (False, "")
    assert (secure.tls, secure.subject) == (True, "CS-1")
    assert downgraded.tls is False


def test_without_a_header_for_it_no_certificate_is_believed_but_the_own_one() -> None:
    proxies = Proxies(("10.0.0.0/8",))

    found = proxies.origin(Origin("10.0.0.1", True, "CS-1"), lambda name: ["CS-2"] if "Name" in name else [])

    assert found == Origin("10.0.0.1", True, "CS-1")


@pytest.mark.parametrize("text", ["10.0.0.0/33", "proxy.example", ""])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither an address nor a network"):
        Proxies((text,))


# --- the PROXY protocol -----------------------------------------------------------------------------------------------


def v2(command: int = 0x21, family: int = 0x11, body: bytes | None = None) -> bytes:
    addresses = socket.inet_aton("203.0.113.5") + socket.inet_aton("10.0.0.1") + struct.pack("!HH", 4711, 9220)
    body = addresses if body is None else body
    return V2 + struct.pack("!BBH", command, family, len(body)) + body


V6 = socket.inet_pton(socket.AF_INET6, "2a00::5") * 2 + struct.pack("!HH", 1, 2)


@pytest.mark.parametrize(
    ("header", "peer"),
    [
        (b"PROXY TCP4 203.0.113.5 10.0.0.1 4711 9220\r\n", "203.0.113.5"),
        (b"PROXY TCP6 2a00::5 ::1 4711 9220\r\n", "2a00::5"),
        (b"PROXY UNKNOWN\r\n", ""),
        (b"PROXY UNKNOWN ff::1 ff::2 1 2\r\n", ""),
        (v2(), "203.0.113.5"),
        (v2(family=0x21, body=V6), "2a00::5"),
        (v2(family=0x21, body=V6 + b"\x04\x00\x03abc"), "2a00::5"),
        (v2(command=0x20, body=b""), ""),
        (v2(family=0x31, body=bytes(216)), ""),
    ],
    ids=["v1", "v1 IPv6", "v1 unknown", "v1 unknown, long", "v2", "v2 IPv6", "v2 with TLVs", "v2 local", "v2 unix"],
)
def test_a_header_is_read_to_its_last_byte_and_no_further(header: bytes, peer: str) -> None:
    early = [introduced(header[:end]) for end in range(len(header))]

    assert early == [None] * len(header)
    assert introduced(header + b"GET / HTTP/1.1\r\n") == Introduced(peer, len(header))


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01",
        b"PROXY TCP4 nobody 10.0.0.1 1 2\r\n",
        b"PROXY TCP4 1.2.3.4\r\n",
        b"PROXY " + b"x" * 200,
        v2(command=0x11),
        v2(command=0x22),
        v2(body=b"\x01"),
        V2 + b"\x21\x11\xff\xff",
    ],
    ids=["http", "tls", "no address", "short", "endless", "version 1", "no such command", "no addresses", "too long"],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        introduced(data)


@given(st.binary(max_size=300), st.sampled_from([b"", b"PROXY ", V2]))
def test_any_bytes_are_a_header_or_not_yet_one_or_none(data: bytes, start: bytes) -> None:
    try:
        found = introduced(start + data)
    except UnreadableError:
        return
    assert found is None or found.length <= len(start + data)
