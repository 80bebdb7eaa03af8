"""Whom we call: URLs, and the IP addresses behind them."""

import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from csms_platform.callbacks import LONGEST
from csms_soap_gateway.addresses import ForbiddenAddressError, forbidden, open_socket, read_url

NEVER = "never"
PRIVATE = "private"
ANYBODY = "anybody"


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("8.8.8.8", ANYBODY),
        ("192.0.2.7", ANYBODY),
        ("100.63.255.255", ANYBODY),
        ("172.32.0.1", ANYBODY),
        ("2a00:1450:4001:80b::200e", ANYBODY),
        ("10.0.0.1", PRIVATE),
        ("172.16.0.1", PRIVATE),
        ("172.31.255.255", PRIVATE),
        ("192.168.1.1", PRIVATE),
        ("100.64.0.1", PRIVATE),
        ("100.127.255.255", PRIVATE),
        ("198.18.0.1", PRIVATE),
        ("127.0.0.1", PRIVATE),
        ("127.255.255.254", PRIVATE),
        ("::1", PRIVATE),
        ("fc00::1", PRIVATE),
        ("fd12:3456:789a::1", PRIVATE),
        ("0.0.0.0", NEVER),
        ("0.1.2.3", NEVER),
        ("169.254.0.1", NEVER),
        ("169.254.169.254", NEVER),
        ("100.100.100.200", NEVER),
        ("168.63.129.16", NEVER),
        ("192.0.0.192", NEVER),
        ("224.0.0.1", NEVER),
        ("239.255.255.250", NEVER),
        ("240.0.0.1", NEVER),
        ("255.255.255.255", NEVER),
        ("::", NEVER),
        ("fe80::1", NEVER),
        ("fe80::1%eth0", NEVER),
        ("2a00:1450:4001:80b::200e%eth0", NEVER),
        ("2a00:1450:4001:80b::200e%x.station.example", NEVER),
        ("fec0::1", NEVER),
        ("ff02::1", NEVER),
        ("fd00:ec2::254", NEVER),
        ("fd20:ce::254", NEVER),
        ("fd00:42::42", NEVER),
        ("100::1", NEVER),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", NEVER),
        ("64:ff9b:1::a00:1", NEVER),
        # Such as stand for an IPv4 address.
        ("::ffff:8.8.8.8", ANYBODY),
        ("::ffff:10.0.0.1", PRIVATE),
        ("::ffff:127.0.0.1", PRIVATE),
        ("::ffff:169.254.169.254", NEVER),
        ("::ffff:a9fe:a9fe", NEVER),
        ("64:ff9b::808:808", ANYBODY),
        ("64:ff9b::7f00:1", PRIVATE),
        ("64:ff9b::a9fe:a9fe", NEVER),
        ("2002:808:808::1", ANYBODY),
        ("2002:a00:1::1", PRIVATE),
        ("2002:a9fe:a9fe::1", NEVER),
        ("::127.0.0.1", NEVER),
        ("::169.254.169.254", NEVER),
        # What is none is not asked about twice.
        ("", NEVER),
        ("station.example", NEVER),
        ("2130706433", NEVER),
        ("0177.0.0.1", NEVER),
        ("0x7f.0.0.1", NEVER),
        ("127.1", NEVER),
        ("127.0.0.1.", NEVER),
    ],
)
def test_who_may_be_called(address: str, may: str) -> None:
    without, with_private = forbidden(address, False), forbidden(address, True)

    assert [not without, not with_private] == {
        NEVER: [False, False],
        PRIVATE: [False, True],
        ANYBODY: [True, True],
    }[may]


def test_why_not_is_a_sentence() -> None:
    assert forbidden("169.254.169.254", True) == "169.254.169.254 is an address that stations cannot have."
    assert forbidden("10.0.0.1", False) == "10.0.0.1 is in a private network: such addresses are not called."
    assert forbidden("2130706433", True) == "2130706433 is not an IP address."


@given(st.ip_addresses())
def test_an_address_is_judged_the_same_in_every_spelling(address: object) -> None:
    again = ip_address(str(address))

    assert bool(forbidden(again.exploded, True)) == bool(forbidden(again.compressed, True))
    if again.version == 4:
        assert bool(forbidden(f"::ffff:{again}", False)) == bool(forbidden(str(again), False))


@given(st.ip_addresses())
def test_whatever_the_library_knows_as_special_is_called_by_nobody_without_permission(address: object) -> None:
    known = ip_address(str(address))
    # Of IPv6 more is reserved than we mind: NAT64 is.
    reserved = known.is_reserved and known.version == 4
    if known.is_link_local or known.is_multicast or known.is_unspecified or known.is_loopback or reserved:
        assert forbidden(str(known), False)


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert isinstance(forbidden(text, True), str)
    assert isinstance(read_url(text), URL | str)
    assert isinstance(read_url("http://" + text), URL | str)


@given(st.text("az019.:%[]@-_~!$&'()*+,;=#?/\\ßＡ。", max_size=12))
def test_any_host_is_judged(text: str) -> None:
    assert isinstance(read_url(f"http://{text}/"), URL | str)


@pytest.mark.parametrize(
    "text",
    [
        "http://192.0.2.7/",
        "http://192.0.2.7:8080/ocpp/CP-1?a=b",
        "https://station.example",
        "HTTPS://Station.Example:8443/",
        "http://[2001:db8::7]:8080/",
        "http://localhost/",
    ],
)
def test_a_url_of_http_or_https_can_be_called(text: str) -> None:
    assert read_url(text) == URL(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not one of http or https"),
        ("station.example", "not one of http or https"),
        ("ftp://station.example/", "not one of http or https"),
        ("file:///etc/passwd", "not one of http or https"),
        ("javascript:alert(1)", "not one of http or https"),
        ("http:///ocpp", "not one of http or https"),
        ("http://", "not one of http or https"),
        ("http://station.example:0/", "not one of http or https"),
        ("http://station.example:99999/", "is not a URL"),
        ("http://station.example:port/", "is not a URL"),
        ("http://[::1/", "is not a URL"),
        ("http://@[]/", "is not a URL"),
        ("http://@]/[", "is not a URL"),
        ("http://user@station.example/", "user name or a password"),
        ("http://user:secret@station.example/", "user name or a password"),
        ("http://:secret@station.example/", "user name or a password"),
        ("http://station.example/\r\nX: y", "unprintable"),
        ("http://station.example/a b", "spaces"),
        ("http://station.example/" + LONGEST * "x", f"more than {LONGEST}"),
    ],
)
def test_others_cannot_and_a_sentence_says_why(text: str, why: str) -> None:
    told = read_url(text)

    assert isinstance(told, str)
    assert told.startswith("The station's address")
    assert told.endswith(".")
    assert why in told
    assert "secret" not in told


def test_no_socket_is_opened_to_a_forbidden_address() -> None:
    info = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 80))

    with pytest.raises(ForbiddenAddressError, match=r"^127\.0\.0\.1 is in a private network"):
        open_socket(False, info)
    with open_socket(True, info) as opened:
        assert (opened.family, opened.type) == (socket.AF_INET, socket.SOCK_STREAM)
