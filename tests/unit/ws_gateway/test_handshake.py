"""What a handshake request tells: the path, the credentials, the subprotocols."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers

from csms_platform.envelope import ConnectRequest, Refusal
from csms_ws_gateway.handshake import Target, read_request, read_target

NO_SUCH_PATH = Refusal(404, "The path is not /ocpp/<identity> or /ocpp/<identity>/<account>.")
NO_IDENTITY = Refusal(404, "The path holds no identity.")


def encoded(user_and_password: bytes) -> str:
    return base64.b64encode(user_and_password).decode()


def credentials(*authorization: str) -> tuple[bool, str | None, str | None]:
    """Whether an Authorization header was seen, the user, and the base64 of the password."""
    headers = Headers([("Authorization", value) for value in authorization])
    request = read_request(headers, peer="192.0.2.1")
    return request.authorization, request.user, request.password


# --- the path ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/ocpp/CS-1", Target("CS-1")),
        ("/ocpp/CS-1/", Target("CS-1")),
        ("/ocpp/CS-1?key=a/b/c", Target("CS-1")),
        ("/ocpp/RDAM%20123", Target("RDAM 123")),
        ("/ocpp/A%2FB", Target("A/B")),
        ("/ocpp/A%2fB/acme%2Feast", Target("A/B", "acme/east")),
        ("/ocpp/100%25", Target("100%")),
        ("/ocpp/%252F", Target("%2F")),
        ("/ocpp/a+b", Target("a+b")),
        ("/ocpp/%E6%A1%A9%F0%9F%94%8C", Target("桩🔌")),
        ("/ocpp/CS-1/acme", Target("CS-1", "acme")),
        ("/ocpp/CS-1/acme/", Target("CS-1", "acme")),
        ("/ocpp/" + "x" * 255, Target("x" * 255)),
    ],
)
def test_a_path_names_the_station(path: str, target: Target) -> None:
    assert read_target(path, "/ocpp/") == target


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("/ocpp/", NO_SUCH_PATH),
        ("/ocpp/?key=CS-1", NO_SUCH_PATH),
        ("/ocpp/a/b/c", NO_SUCH_PATH),
        ("/ocpp/a/b//", NO_SUCH_PATH),
        ("/ocpp//acme", NO_IDENTITY),
        ("/ocpp/CS-1//", NO_IDENTITY),
    ],
)
def test_a_path_without_a_station_is_404(path: str, refusal: Refusal) -> None:
    assert read_target(path, "/ocpp/") == refusal


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/ocpp/CS%", "bad escape at '%'"),
        ("/ocpp/CS%2", "bad escape at '%2'"),
        ("/ocpp/CS%zz", "bad escape at '%zz'"),
        ("/ocpp/CS%+1", "bad escape at '%+1'"),
        ("/ocpp/CS-1/%", "bad escape at '%'"),
        ("/ocpp/%FF", "invalid start byte"),
        ("/ocpp/%C3", "unexpected end of data"),
        ("/ocpp/%ED%A0%80", "invalid continuation byte"),
    ],
)
def test_bad_percent_encoding_is_400(path: str, reason: str) -> None:
    refusal = read_target(path, "/ocpp/")

    assert isinstance(refusal, Refusal)
    assert (refusal.status, reason in refusal.reason) == (400, True)


@pytest.mark.parametrize("path", ["%00", "a%0Ab", "%7F", "x" * 256, "%E2%80%8F"])
@pytest.mark.parametrize(("before", "name"), [("/ocpp/", "identity"), ("/ocpp/CS-1/", "account")])
def test_what_cannot_be_shown_on_a_screen_is_400(before: str, name: str, path: str) -> None:
    assert read_target(before + path, "/ocpp/") == Refusal(
        400, f"The {name} has unprintable characters or more than 255."
    )


def test_the_account_may_come_first() -> None:
    assert read_target("/ocpp/acme/CS-1", "/ocpp/", account_first=True) == Target("CS-1", "acme")
    assert read_target("/ocpp/CS-1", "/ocpp/", account_first=True) == Target("CS-1")


@given(st.text())
def test_any_path_is_a_target_or_a_refusal(path: str) -> None:
    outcome = read_target("/ocpp/" + path, "/ocpp/")

    assert isinstance(outcome, Target) or outcome.status in (400, 404)


# --- credentials ------------------------------------------------------------------------------------------------------


def test_no_header_no_credentials() -> None:
    assert credentials() == (False, None, None)


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_scheme_is_written_in_any_case(scheme: str) -> None:
    assert credentials(f"{scheme} {encoded(b'CS-1:secret')}") == (True, "CS-1", encoded(b"secret"))


def test_user_and_password_are_split_at_the_first_colon() -> None:
    assert credentials(f"Basic {encoded(b'CS-1:a:b:')}") == (True, "CS-1", encoded(b"a:b:"))


def test_the_password_is_any_bytes() -> None:
    every_byte = bytes(range(256))

    assert credentials(f"Basic {encoded(b'CS-1:' + every_byte)}") == (True, "CS-1", encoded(every_byte))


def test_an_empty_password_is_a_password() -> None:
    assert credentials(f"Basic {encoded(b'CS-1:')}") == (True, "CS-1", "")


def test_the_user_is_utf_8() -> None:
    assert credentials(f"Basic {encoded('été:x'.encode())}") == (True, "été", encoded(b"x"))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic Q1M",
        "Basic é",
        f"Basic {encoded(b'no colon')}",
        f"Basic {encoded(bytes([255]) + b':x')}",
        f"Bearer {encoded(b'CS-1:secret')}",
        "Digest username=CS-1",
    ],
)
def test_what_is_no_readable_basic_header_is_reported_as_unreadable(value: str) -> None:
    assert credentials(value) == (True, None, None)


def test_two_headers_are_unreadable_even_when_they_agree() -> None:
    header = f"Basic {encoded(b'CS-1:secret')}"

    assert credentials(header, header) == (True, None, None)


VISIBLE = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]))


@given(st.lists(VISIBLE, max_size=2))
def test_any_header_is_read_without_an_error(values: list[str]) -> None:
    seen, _, _ = credentials(*values)

    assert seen is bool(values)


# --- everything else --------------------------------------------------------------------------------------------------


def test_subprotocols_of_several_headers_are_one_list_in_order() -> None:
    offered = [("Sec-WebSocket-Protocol", "soap, ocpp2.0.1"), ("sec-websocket-protocol", "ocpp1.6")]

    assert read_request(Headers(offered), peer="192.0.2.1", tls=True, subject="CS-1") == ConnectRequest(
        peer="192.0.2.1",
        offered=("soap", "ocpp2.0.1", "ocpp1.6"),
        subprotocol="ocpp2.0.1",
        tls=True,
        subject="CS-1",
    )


def test_an_unreadable_subprotocol_header_is_left_out() -> None:
    offered = [("Sec-WebSocket-Protocol", "@@ ,,"), ("Sec-WebSocket-Protocol", "ocpp1.6")]

    assert read_request(Headers(offered), peer="").offered == ("ocpp1.6",)


@pytest.mark.parametrize("offered", [[], [("Sec-WebSocket-Protocol", "ocpp1.5, OCPP1.6")]])
def test_without_a_common_subprotocol_none_is_named(offered: list[tuple[str, str]]) -> None:
    assert read_request(Headers(offered), peer="").subprotocol == ""
