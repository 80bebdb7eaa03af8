"""Where a setting comes from, and what an operator is told when it cannot be used."""

from pathlib import Path
from typing import Literal

import msgspec
import pytest

from csms_platform.settings import SettingsError, Source


class Section(msgspec.Struct, frozen=True):
    name: str = "default"
    interval: float = 30.0
    count: int = 1
    enabled: bool = True
    mode: Literal["a", "b"] = "a"
    names: tuple[str, ...] = ()
    limit: int | None = None


class Top(msgspec.Struct, frozen=True):
    data: str = ""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "csms.toml"


def read(environ: dict[str, str], file: Path | None = None, text: str = "", **overrides: object) -> Section:
    if file:
        file.write_text(text, encoding="utf-8")
    return Source(file, environ, {"part": overrides}).section("part", Section)


def complaint(environ: dict[str, str], file: Path | None = None, text: str = "") -> str:
    with pytest.raises(SettingsError) as error:
        read(environ, file, text)
    return str(error.value)


def test_without_any_source_the_defaults_hold() -> None:
    assert read({}) == Section()


def test_the_command_line_beats_the_environment_which_beats_the_file(file: Path) -> None:
    text = '[part]\nname = "file"\ncount = 2\ninterval = 5'
    environ = {"CSMS_PART_NAME": "environment", "CSMS_PART_COUNT": "3"}

    assert read(environ, file, text, name="line") == Section(name="line", count=3, interval=5.0)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("NAME", "123", Section(name="123")),
        ("NAME", "[x", Section(name="[x")),
        ("NAME", "", Section(name="")),
        ("INTERVAL", "2", Section(interval=2.0)),
        ("INTERVAL", "0.25", Section(interval=0.25)),
        ("COUNT", "-4", Section(count=-4)),
        ("ENABLED", "off", Section(enabled=False)),
        ("ENABLED", "No", Section(enabled=False)),
        ("ENABLED", "false", Section(enabled=False)),
        ("ENABLED", "0", Section(enabled=False)),
        ("ENABLED", "yes", Section(enabled=True)),
        ("MODE", "b", Section(mode="b")),
        ("NAMES", '["x", "y"]', Section(names=("x", "y"))),
        ("LIMIT", "5", Section(limit=5)),
    ],
)
def test_text_from_the_environment_becomes_the_type_of_the_setting(key: str, text: str, value: Section) -> None:
    assert read({f"CSMS_PART_{key}": text}) == value


def test_a_secret_may_be_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n", encoding="utf-8")

    assert read({"CSMS_PART_NAME_FILE": str(tmp_path / "secret")}) == Section(name="s3cret")


def test_the_top_level_has_no_section_in_its_variables(file: Path) -> None:
    file.write_text('data = "/var/lib"\n[part]\nname = "x"', encoding="utf-8")

    assert Source(file, {}).section("", Top) == Top(data="/var/lib")
    assert Source(file, {"CSMS_DATA": "/srv"}).section("", Top) == Top(data="/srv")


@pytest.mark.parametrize(
    ("variable", "text", "reason"),
    [
        ("CSMS_PART_INTERVAL", "soon", "Expected `float`, got `str`"),
        ("CSMS_PART_INTERVAL", "", "Expected `float`, got `str`"),
        ("CSMS_PART_ENABLED", "maybe", "Expected `bool`, got `str`"),
        ("CSMS_PART_MODE", "c", "Invalid enum value 'c'"),
        ("CSMS_PART_NAMES", "x", "Expected `array`, got `str`"),
        ("CSMS_PART_NAMES", "[x", "JSON is malformed: invalid character (byte 1)"),
    ],
)
def test_an_unusable_variable_is_named_in_one_sentence(variable: str, text: str, reason: str) -> None:
    assert complaint({variable: text}) == f"{variable}: {reason}."


def test_an_unusable_value_in_the_file_is_named_with_file_and_key(file: Path) -> None:
    assert complaint({}, file, '[part]\ncount = "many"') == f"{file}: part.count: Expected `int`, got `str`."


def test_an_unknown_key_is_refused_with_the_known_ones(file: Path) -> None:
    assert complaint({}, file, "[part]\ninterwal = 3") == (
        f"{file}: unknown key 'interwal' in [part]; known are count, enabled, interval, limit, mode, name, names."
    )


def test_a_section_that_is_no_table_is_refused(file: Path) -> None:
    assert complaint({}, file, "part = 3") == f"{file}: [part] is not a table."


def test_an_unknown_section_is_refused(file: Path) -> None:
    file.write_text("[prat]\n", encoding="utf-8")

    with pytest.raises(SettingsError) as error:
        Source(file, {}).check_top_level({"part"}, [Top])

    assert str(error.value) == f"{file}: unknown key 'prat'; known are data, part."


def test_a_file_that_is_not_toml_is_one_sentence(file: Path) -> None:
    assert complaint({}, file, "[part").startswith(f"{file}: not TOML: ")


def test_a_file_that_is_not_utf_8_is_one_sentence(file: Path) -> None:
    file.write_bytes(b"name = '\xff'")

    with pytest.raises(SettingsError, match="not TOML: 'utf-8' codec"):
        Source(file, {})


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        Source(tmp_path / "none.toml", {})

    assert str(error.value) == f"{tmp_path / 'none.toml'}: cannot be read: No such file or directory."


def test_a_missing_or_unreadable_secret_file_is_one_sentence(tmp_path: Path) -> None:
    missing, binary = tmp_path / "none", tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")

    assert complaint({"CSMS_PART_NAME_FILE": str(missing)}) == (
        f"CSMS_PART_NAME_FILE: cannot read {missing}: No such file or directory."
    )
    assert complaint({"CSMS_PART_NAME_FILE": str(binary)}) == f"CSMS_PART_NAME_FILE: {binary} is not UTF-8 text."
