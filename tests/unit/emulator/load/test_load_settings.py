"""A load that cannot be is refused with a sentence; one that can is shared out between processes."""

from typing import Any

import pytest

from csms_emulator.load.limits import check
from csms_emulator.load.settings import Settings

URL = "ws://127.0.0.1:9220/ocpp"


def settings(**given: Any) -> Settings:
    usual: dict[str, Any] = {"url": URL}
    return Settings(**usual | given)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"url": "http://127.0.0.1/ocpp"}, "load: url begins with ws:// or wss:// and names a host."),
        ({"url": "ws:///ocpp"}, "load: url begins with ws:// or wss:// and names a host."),
        ({"url": "ws://host/ocpp?x=1"}, "load: url has no ? and no #: the identity is its last segment."),
        ({"url": "ws://user:secret@host/"}, "load: url has no password in it: that is --password."),
        ({"stations": 0}, "load: stations is at least 1."),
        ({"ramp": 0}, "load: ramp is more than 0 stations a second."),
        ({"profile": "none"}, "load: profile is one of charging, heartbeat, metervalues, idle."),
        ({"duration": -1}, "load: duration is not negative."),
        ({"processes": 0}, "load: processes is 1 to 64."),
        ({"processes": 3, "stations": 2}, "load: there are not more processes than stations."),
        ({"rate": -1}, "load: rate is not negative."),
        ({"timeout": 0.5}, "load: timeout is at least 1 second."),
        ({"allow_errors": 2}, "load: allow-errors is a share between 0 and 1."),
        ({"identity": "SAME"}, "load: identity contains {n}."),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole sentence is compared below
        settings(**given)

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("given", "beginning"),
    [
        ({"url": "ws://host:99999/"}, "load: url has no valid host and port: "),
        ({"url": f"ws://{'a' * 70}/"}, "load: url has no valid host and port: "),
        ({"ca": "/nowhere.pem"}, "load: ca /nowhere.pem has no certificates: No such file or directory."),
        ({"ca": __file__}, f"load: ca {__file__} has no certificates: "),
        ({"identity": "{x}"}, "identity is a format string over n, such as LOAD-{n:06}: "),
    ],
)
def test_what_cannot_be_read_is_refused(given: dict[str, Any], beginning: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - as above
        settings(**given)

    assert str(refused.value).startswith(beginning)


def test_an_address_has_the_ports_of_its_scheme() -> None:
    plain, secure = Settings("ws://host/ocpp/"), Settings("wss://host")

    assert [(s.host, s.port, s.secure, s.address.path) for s in (plain, secure)] == [
        ("host", 80, False, "/ocpp"),
        ("host", 443, True, ""),
    ]


def test_every_station_is_in_one_part() -> None:
    whole = Settings(URL, stations=10, processes=3, rate=300.0, identity="S{n}")

    parts = whole.parts()

    assert [part.identities() for part in parts] == [["S1", "S4", "S7", "S10"], ["S2", "S5", "S8"], ["S3", "S6", "S9"]]
    assert [part.rate for part in parts] == [100.0] * 3


def test_the_opening_names_the_station_and_its_password() -> None:
    address = Settings(URL, password="secret").address

    lines = address.opening("A/1").decode().split("\r\n")

    assert lines[0] == "GET /ocpp/A%2F1 HTTP/1.1"
    assert "Host: 127.0.0.1:9220" in lines
    assert "Authorization: Basic QS8xOnNlY3JldA==" in lines


def test_stations_that_do_not_fit_are_refused_with_what_would() -> None:
    check(10_000, 2, 5064)

    with pytest.raises(ValueError) as refused:  # noqa: PT011 - as above
        check(10_000, 2, 4096)

    assert str(refused.value) == (
        "load: 10000 stations in 2 process(es) need 5064 open files each, and the system allows 4096: "
        "raise it (ulimit -Hn) or use --processes 3."
    )
