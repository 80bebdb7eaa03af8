"""`station.toml`: what it says about a fleet, and the sentence for each thing that it cannot say."""

from pathlib import Path
from typing import Any

import pytest

from csms_emulator.files.reading import load
from csms_emulator.files.specification import Connector, Key, Nameplate, Specification
from csms_emulator.settings import Settings

FULL = """
count = 3
identity = "GARAGE-{n:02}"
url = "wss://example.org/ocpp"
version = "1.6"
password = "geheim"
security_profile = 2
vendor = "ACME"
model = "Wall 7"
serial = "W7-{n:05}"
firmware = "1.2"
heartbeat = 90
id_tags = ["A", "B"]
pace = 5.0
connectors = [{ type = "Type2", power_kw = 7.4, phases = 1 }, { type = "CCS2", power_kw = 50 }]
configuration = { MeterValueSampleInterval = "15" }
seed = 4
drivers = false
ramp = 1.5
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "station.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_everything_that_a_file_may_say(tmp_path: Path) -> None:
    file = written(tmp_path, FULL)

    assert load([file]) == (
        Specification(
            origin=file,
            settings=Settings(
                count=3,
                identity="GARAGE-{n:02}",
                url="wss://example.org/ocpp",
                password="geheim",
                connectors=2,
                pace=5.0,
                seed=4,
                ramp=1.5,
                id_tags=("A", "B"),
            ),
            connectors=(Connector(type="Type2", power_kw=7.4, phases=1), Connector(type="CCS2", power_kw=50.0)),
            nameplate=Nameplate("ACME", "Wall 7", "W7-{n:05}", "1.2"),
            keys=(Key("HeartbeatInterval", "90"), Key("MeterValueSampleInterval", "15")),
            drivers=False,
        ),
    )


def test_an_empty_file_is_one_station_like_those_without_a_file(tmp_path: Path) -> None:
    (station,) = load([written(tmp_path, "")])

    assert station.settings == Settings(count=1, identity="CP-{n:05}", seed=station.settings.seed)


def test_keys_at_the_top_are_for_all_stations_and_a_table_of_its_own_wins(tmp_path: Path) -> None:
    text = 'pace = 9.0\n[[stations]]\nidentity = "A"\n[[stations]]\nidentity = "B"\npace = 2.0\n'

    found = load([written(tmp_path, text)])

    assert [(s.settings.identity, s.settings.pace) for s in found] == [("A", 9.0), ("B", 2.0)]


def test_fleets_of_a_park_live_different_lives(tmp_path: Path) -> None:
    found = load([written(tmp_path, '[[stations]]\nidentity = "A"\n[[stations]]\nidentity = "B"\n')])

    assert len({station.settings.seed for station in found}) == 2


@pytest.mark.parametrize(
    ("text", "version", "transport", "url"),
    [
        ("", "1.6", "json", "ws://localhost:9220/ocpp"),
        ('version = "1.5"', "1.5", "soap", "http://localhost:9220/Ocpp"),
        ('transport = "soap"', "1.6", "soap", "http://localhost:9220/Ocpp"),
        ('url = "https://example.org/Ocpp"', "1.6", "soap", "https://example.org/Ocpp"),
    ],
)
def test_the_transport_follows_from_what_is_said(
    tmp_path: Path, text: str, version: str, transport: str, url: str
) -> None:
    (station,) = load([written(tmp_path, text)])

    found = station.settings
    assert (found.version, found.transport, found.url) == (version, transport, url)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("security_profile = 2\npassword = 'x'", "wss://localhost:9220/ocpp"),
        ("security_profile = 2\npassword = 'x'\nversion = '1.5'", "https://localhost:9220/Ocpp"),
        ("security_profile = 1\npassword = 'x'", "ws://localhost:9220/ocpp"),
    ],
)
def test_without_a_url_the_security_profile_says_whether_there_is_tls(tmp_path: Path, text: str, url: str) -> None:
    (station,) = load([written(tmp_path, text)])

    assert station.settings.url == url


@pytest.mark.parametrize(("text", "drivers"), [("true", True), ("false", False), ("'remote'", "remote")])
@pytest.mark.parametrize("version", ["1.5", "1.6", "2.0.1", "2.1"])
def test_drivers_come_are_called_or_never_come_to_stations_of_each_version(
    tmp_path: Path, version: str, text: str, drivers: Any
) -> None:
    (station,) = load([written(tmp_path, f"version = '{version}'\ndrivers = {text}")])

    assert station.drivers == drivers


def test_canned_answers_are_in_a_folder_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "ClearCache.json").write_text('{"status": "Rejected"}')
    text = "[[stations]]\nidentity = 'A'\nanswers = 'ours'\n[[stations]]\nidentity = 'B'"

    found = load([written(tmp_path, text)])

    assert [station.answers for station in found] == [{"ClearCache": {"status": "Rejected"}}, {}]


def test_a_canned_answer_that_its_version_would_refuse_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    canned = tmp_path / "ours" / "ClearCache.json"
    canned.write_text('{"status": "Maybe"}')

    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole sentence is compared below
        load([written(tmp_path, "answers = 'ours'")])

    assert str(refused.value) == f'{canned}: status: "Maybe" is not one of "Accepted" or "Rejected".'


def test_a_heartbeat_is_for_stations_of_2_x_too(tmp_path: Path) -> None:
    (station,) = load([written(tmp_path, "version = '2.0.1'\nheartbeat = 77")])

    assert station.keys == (Key("HeartbeatInterval", "77"),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("count = ", "not TOML: Invalid value (at end of document)."),
        ("colour = 1", "Object contains unknown field `colour`."),
        ("count = '3'", "count: Expected `int`, got `str`."),
        ("count = 0", "count is at least 1."),
        ("count = 2\nidentity = 'A'", "identity contains {n}."),
        ("count = 2\nidentity = '{m}{n}'", "identity is a format string over n, such as EMU-{n:05}: KeyError('m')."),
        ("stations = 1", "stations is not a list of tables: write [[stations]]."),
        ("[[stations]]\n[[stations]]\nspeed = 2", "stations[1]: Object contains unknown field `speed`."),
        ("[[stations]]\npace = 0", "stations[0]: pace is greater than 0."),
        ("version = '1.7'", "version: Invalid enum value '1.7'."),
        ("url = 'ftp://example.org'", "url is a ws:// or wss:// address."),
        ("connectors = 0", "connectors is between 1 and 100."),
        ("connectors = []", "connectors is between 1 and 100."),
        ("connectors = [{ kind = 1 }]", "connectors[0]: Object contains unknown field `kind`."),
        (
            "connectors = [{ type = 'Type9' }]",
            "connectors: type Type9 is none of CCS1, CCS2, CHAdeMO, ChaoJi, GBT-AC, GBT-DC, MCS, NACS, Schuko, "
            "Tesla, Type1, Type2, Type3.",
        ),
        ("connectors = [{ power_kw = 0 }]", "connectors[0].power_kw: Expected `float` > 0.0."),
        ("connectors = [{ phases = 2 }]", "connectors[0].phases: Invalid enum value 2."),
        (
            "connectors = [{ type = 'CCS2', phases = 3 }]",
            "connectors[0]: phases is for alternating current only.",
        ),
        ("security_profile = 1", "security_profile: 1 needs a password."),
        ("security_profile = 0\npassword = 'x'", "security_profile: 0 has no password."),
        (
            "security_profile = 2\npassword = 'x'\nurl = 'ws://a/ocpp'",
            "security_profile: 2 needs a url with wss:// or https://.",
        ),
        (
            "security_profile = 1\npassword = 'x'\nurl = 'wss://a/ocpp'",
            "security_profile: 1 needs a url with ws:// or http://.",
        ),
        ("security_profile = 3", "security_profile: 3 needs a certificate."),
        ("security_profile = 3\ncertificate = 'a'\npassword = 'x'", "security_profile: 3 has no password."),
        ("security_profile = 0\ncertificate = 'a'", "security_profile: 0 has no certificate."),
        ("security_profile = 0\nca = 'a'", "ca needs a url with wss:// or https://."),
        ("certificate = 'a'\nurl = 'ws://a/ocpp'", "certificate needs a url with wss:// or https://."),
        ("key = 'a'\nurl = 'wss://a/ocpp'", "key needs a certificate."),
        ("certificate = '{m}'", "certificate is a format string over n, such as EMU-{n:05}: KeyError('m')."),
        ("ca = 'a.pem'", "ca: {folder}/a.pem cannot be read: No such file or directory."),
        ("ca = 'station.toml'", "ca: {file} holds no certificate in PEM form."),
        ("answers = 'ours'", "answers: {folder}/ours is no folder with files such as ClearCache.json."),
        (
            "heartbeat = 1\nconfiguration = { HeartbeatInterval = '2' }",
            "heartbeat and configuration.HeartbeatInterval say the same thing: give one of them.",
        ),
        (
            "heartbeat = 1\nversion = '2.1'\nconfiguration = { 'OCPPCommCtrlr.HeartbeatInterval' = '2' }",
            "heartbeat and configuration.OCPPCommCtrlr.HeartbeatInterval say the same thing: give one of them.",
        ),
        ("drivers = 'never'", "drivers: Invalid enum value 'never'."),
        ("heartbeat = 0", "configuration.HeartbeatInterval: the station has no such key, or does not take '0'."),
        (
            "configuration = { Colour = 'red' }",
            "configuration.Colour: the station has no such key, or does not take 'red'.",
        ),
        (
            "configuration = { NumberOfConnectors = '9' }",
            "configuration.NumberOfConnectors: the station has no such key, or does not take '9'.",
        ),
        (
            "version = '2.0.1'\nconfiguration = { 'OCPPCommCtrlr.Colour' = 'red' }",
            "configuration.OCPPCommCtrlr.Colour: the station has no such key, or does not take 'red'.",
        ),
        ("configuration = { HeartbeatInterval = 2 }", "configuration[...]: Expected `str`, got `int`."),
        ("serial = '{m}'", "serial is a format string over n, such as SN-{n:05}: KeyError('m')."),
        (
            f"model = '{'x' * 21}'",
            f'chargePointModel: "{"x" * 21}" is longer than 20 characters.',
        ),
        ("[[stations]]\n[[stations]]", "the identity CP-00001 is taken by a station of {file}."),
    ],
)
def test_what_a_file_cannot_say_is_refused_with_file_key_and_reason(tmp_path: Path, text: str, sentence: str) -> None:
    file = written(tmp_path, text)

    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole sentence is compared below
        load([file])

    said = sentence.replace("{file}", str(file)).replace("{folder}", str(tmp_path))
    assert str(refused.value) == f"{file}: {said}"


def test_a_key_with_the_value_that_it_has_anyway_may_be_said(tmp_path: Path) -> None:
    (station,) = load([written(tmp_path, 'configuration = { NumberOfConnectors = "2" }')])

    assert station.keys == (Key("NumberOfConnectors", "2"),)
