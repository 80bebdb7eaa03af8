"""Which files a path stands for, and what `--url` changes."""

from pathlib import Path

import pytest

from csms_emulator.files.reading import load


def station(folder: Path, identity: str, name: str = "station.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f'identity = "{identity}"', encoding="utf-8")
    return folder / name


def reference(folder: Path) -> None:
    folder.mkdir(parents=True)
    text = '{"connectorId": [{"id": 1}], "configurationKey": []}'
    (folder / "configuration.json").write_text(text, encoding="utf-8")


def identities(*paths: Path) -> list[str]:
    return [specification.settings.identity for specification in load(paths)]


def test_a_folder_stands_for_its_files_and_those_of_its_folders(tmp_path: Path) -> None:
    station(tmp_path, "TOP")
    station(tmp_path / "b", "B")
    reference(tmp_path / "c" / "CP1")
    reference(tmp_path / "c" / "CP2")
    station(tmp_path / ".hidden", "HIDDEN")
    station(tmp_path / "d", "OTHER", "other.toml")

    assert identities(tmp_path) == ["TOP", "B", "CP1", "CP2"]


def test_several_paths_and_files_of_any_name(tmp_path: Path) -> None:
    reference(tmp_path / "CP1")
    one, two = station(tmp_path, "ONE", "one.toml"), tmp_path / "CP1" / "configuration.json"

    assert identities(two, one) == ["CP1", "ONE"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^\S+/none\.toml: cannot be read: No such file or directory\.$"):
        load([tmp_path / "none.toml"])


def test_a_folder_without_stations(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"neither a station\.toml nor a configuration\.json is in this folder"):
        load([tmp_path])


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a station.toml, a configuration.json, or a folder .* is wanted\.$"):
        load([tmp_path / "station.yaml"])


@pytest.mark.parametrize(
    ("given", "json", "soap"),
    [
        ("", "ws://localhost:9220/ocpp", "http://localhost:9220/Ocpp"),
        ("ws://example.org:1/x", "ws://example.org:1/x", "http://example.org:1/Ocpp"),
        ("https://example.org/soap", "wss://example.org/ocpp", "https://example.org/soap"),
    ],
)
def test_the_url_given_replaces_that_of_the_files_for_either_transport(
    tmp_path: Path, given: str, json: str, soap: str
) -> None:
    text = '[[stations]]\nidentity = "J"\n[[stations]]\nidentity = "S"\ntransport = "soap"\n'
    (tmp_path / "station.toml").write_text(text, encoding="utf-8")

    assert [specification.settings.url for specification in load([tmp_path], given)] == [json, soap]


def test_of_several_urls_each_station_takes_the_one_for_its_transport(tmp_path: Path) -> None:
    text = '[[stations]]\nidentity = "J"\n[[stations]]\nidentity = "S"\ntransport = "soap"\n'
    (tmp_path / "station.toml").write_text(text, encoding="utf-8")

    found = load([tmp_path], "ws://here:1/x", "http://here:1/Soap")

    assert [specification.settings.url for specification in found] == ["ws://here:1/x", "http://here:1/Soap"]


def test_a_url_that_cannot_work(tmp_path: Path) -> None:
    station(tmp_path, "A")

    with pytest.raises(ValueError, match=r"^--url: url is a ws:// or wss:// address\.$"):
        load([tmp_path], "example.org")


def test_the_park_that_comes_with_the_project_has_stations_of_every_kind() -> None:
    park = load([Path(__file__).parents[4] / "deploy" / "emulator"])

    kinds = {(s.settings.version, s.settings.transport) for s in park}
    assert kinds == {("1.5", "soap"), ("1.6", "soap"), ("1.6", "json"), ("2.0.1", "json"), ("2.1", "json")}
    outlets = [connector for s in park for connector in s.connectors]
    assert {(one.is_direct, one.phases) for one in outlets} == {(False, 1), (False, 3), (True, None)}
    assert {len(s.connectors) for s in park} == {1, 2}
    assert all(len(s.connectors) == s.settings.connectors and s.nameplate.serial for s in park)
    assert all(one.power_kw for one in outlets)
