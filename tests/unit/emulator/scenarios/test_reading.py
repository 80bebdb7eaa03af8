"""A scenario's file is checked before anything starts; what is wrong is told with file, line, step and column."""

import re
from pathlib import Path

import pytest

from csms_emulator.scenarios.reading import load
from csms_emulator.scenarios.scenario import Scenario

SHIPPED = Path(__file__).parents[4] / "deploy" / "emulator" / "scenarios"


def written(folder: Path, text: str, name: str = "one.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def read(folder: Path, text: str, name: str = "one.yaml") -> list[Scenario]:
    return load([written(folder, text, name)])


def test_all_shipped_scenarios_are_good() -> None:
    found = load([SHIPPED])

    assert len({one.file for one in found}) >= 12
    assert {one.version for one in found} >= {"1.5", "1.6", "1.6 soap", "2.0.1", "2.1"}


def test_every_shipped_scenario_says_what_it_proves() -> None:
    silent = [file.name for file in {one.file for one in load([SHIPPED])} if "Proves that" not in file.read_text()]

    assert silent == []


def test_each_version_is_a_scenario_of_its_own(tmp_path: Path) -> None:
    found = read(tmp_path, "versions: [1.5, 1.6, 1.6 soap, 2.0.1]\nsteps: [{plug: 1}]\n")

    told = [(one.title, one.fleets[0].settings.identity, one.fleets[0].settings.transport) for one in found]
    assert told == [
        ("One (1.5)", "one-1.5-{n}", "soap"),
        ("One (1.6)", "one-1.6-{n}", "json"),
        ("One (1.6 soap)", "one-1.6-soap-{n}", "soap"),
        ("One (2.0.1)", "one-2.0.1-{n}", "json"),
    ]


def test_the_seed_decides_about_all_stations(tmp_path: Path) -> None:
    [one] = read(tmp_path, "seed: 7\nstations: [{}, {version: 2.0.1}]\nsteps: [{plug: 1}]\n")

    assert [fleet.settings.seed for fleet in one.fleets] == [7, 8]
    assert [fleet.settings.seed for fleet in one.seeded(100).fleets] == [100, 101]
    assert one.version == "1.6, 2.0.1"


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (
            "swip: ABC",
            "step 1: one of plug, unplug, park, depart, swipe, fault, clear_fault, power_cycle, skew, offline, "
            "online, trouble, heal, call, command, expect, never, wait, pause, check, arrivals, repeat is wanted,"
            " not swip.",
        ),
        (
            "expect: StopTransaktion",
            "step 1, expect: ocpp1.6 has no action StopTransaktion.",
        ),
        (
            "expect: TransactionEvent",
            "step 1, expect: ocpp1.6 has no action TransactionEvent.",
        ),
        (
            "expect: StopTransaction where reasn == Remote",
            "step 1, expect: StopTransaction's call has no reasn, but idTag, meterStop, reason, timestamp, "
            "transactionData, transactionId (column 23).",
        ),
        (
            "expect: 'MeterValues where meterValue[0].sampledValue[mesurand == SoC].value > 5'",
            "step 1, expect: MeterValues's call has no mesurand, but context, format, location, measurand, phase,"
            " unit, value (column 46).",
        ),
        (
            "expect: StopTransaction where transactionId == $x",
            "step 1, expect: $x is not there yet, but $now, $station, $stations, $version (column 40).",
        ),
        (
            "wait: statsu == Charging",
            "step 1, wait: what can be seen has no statsu, but clock, connected, connectors, error, id_tag, "
            "meter, number, parked, plugged, power, registration, soc, state, status, transaction, waiting "
            "(column 1).",
        ),
        (
            "pause: a while",
            "step 1, pause: 'a while' is no time such as 5s, 500ms, 2min or 1h.",
        ),
        (
            "plug: {connector: one}",
            "step 1, plug: Expected `int`, got `str`.",
        ),
        (
            "plug: {colour: red}",
            "step 1, plug: colour is none of connector, vehicle.",
        ),
        (
            "plug: 1, colour: red",
            "step 1, plug: colour does not go with plug.",
        ),
        (
            "plug: 1, station: 2",
            "step 1, plug: station: there is no station 2.",
        ),
        (
            "plug: 1, only: 2.0.1",
            "step 1, plug: only: 2.0.1 is none of the scenario's versions, 1.6.",
        ),
        (
            "command: Heartbeat",
            "step 1, command: Heartbeat is not sent by the csms in ocpp1.6.",
        ),
        (
            "call: Reset",
            "step 1, call: Reset is not sent by the station in ocpp1.6.",
        ),
        (
            "trouble: Rain",
            "step 1, trouble: Rain is none of GarbledAnswers, HalfOpen, Malformed, NoAnswers, Raw, RestartingIds,"
            " SlowAnswers, SlowReader, Storm, SuddenDeath, TwiceAnswered, TwoCalls, WrongIds.",
        ),
        (
            "trouble: {Malformed: {kind: rain}}",
            "step 1, trouble: 'rain' is no kind of malformed message.",
        ),
        (
            "arrivals: {cars: 5}",
            "step 1, arrivals: stay is missing.",
        ),
        (
            "arrivals: {cars: 5, stay: 1min, rate: often}",
            "step 1, arrivals: 'often' is no rate such as 3/min or 0.5/s.",
        ),
        (
            "arrivals: {cars: 0, stay: 1min}",
            "step 1, arrivals: Expected `int` >= 1.",
        ),
        (
            "arrivals: {cars: 1, stay: 1min}, station: all",
            "step 1, arrivals: they come to all stations: leave station out.",
        ),
        (
            "check: transaction == 1",
            "step 1, check: a check is about variables, which begin with $ (column 1).",
        ),
        (
            "repeat: {times: 2, steps: [{pause: 1s}, {pause: x}]}",
            "step 1.2, pause: 'x' is no time such as 5s, 500ms, 2min or 1h.",
        ),
    ],
)
def test_a_wrong_step_is_told_with_its_line(tmp_path: Path, step: str, reason: str) -> None:
    with pytest.raises(ValueError) as told:  # noqa: PT011
        read(tmp_path, f"name: X\nsteps:\n  - {{{step}}}\n")

    assert str(told.value) == f"{tmp_path / 'one.yaml'}:3: {reason}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("steps: []\n", ": steps: there are none."),
        ("steps: [{plug: 1}]\ncolour: red\n", ": Object contains unknown field `colour`."),
        ("steps: [{plug: 1}]\nsteps: []\n", ":2: steps is there twice."),
        ("steps: [{plug: 1}]\nstation: {colour: red}\n", ": station: Object contains unknown field `colour`."),
        ("steps: [{plug: 1}]\nversions: [3.0]\n", ": station.version: Invalid enum value '3.0'."),
        ("steps: [{plug: 1}]\nlimit: long\n", ": 'long' is no time such as 5s, 500ms, 2min or 1h."),
        ("steps: [{plug: 1}\n", ":2: not YAML: expected ',' or ']', but got '<stream end>'."),
        (
            "a: !!python/object/apply:os.getcwd []\n",
            ":1: tag:yaml.org,2002:python/object/apply:os.getcwd is not understood.",
        ),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ValueError) as told:  # noqa: PT011
        read(tmp_path, text)

    assert str(told.value).startswith(f"{tmp_path / 'one.yaml'}{reason}")


def test_two_stations_are_not_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as told:  # noqa: PT011
        read(tmp_path, "stations: [{identity: A}, {identity: A}]\nsteps: [{plug: 1}]\n")

    assert str(told.value) == f"{tmp_path / 'one.yaml'}: stations: two of them are A."


def test_the_example_of_the_guide_is_a_scenario(tmp_path: Path) -> None:
    guide = (SHIPPED / "README.md").read_text(encoding="utf-8")

    [example] = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)

    assert [one.title for one in read(tmp_path, example)] == [
        "Remote start and stop (1.6)",
        "Remote start and stop (1.6 soap)",
    ]


def test_all_wrong_files_are_told_at_once(tmp_path: Path) -> None:
    files = [written(tmp_path, "steps: []\n", "a.yaml"), written(tmp_path, "steps: []\n", "b.yaml")]

    with pytest.raises(ValueError, match="there are none") as told:
        load(files)
    assert str(told.value).splitlines() == [f"{file}: steps: there are none." for file in files]


def test_words_that_yaml_would_change_stay_words(tmp_path: Path) -> None:
    [one] = read(
        tmp_path, "variables: {a: on, b: 04112233, c: 2026-01-01, d: 12:30, e: 7, f: 1.5, g: true}\nsteps: [{plug: }]"
    )

    known = {"a": "on", "b": "04112233", "c": "2026-01-01", "d": "12:30", "e": 7, "f": 1.5, "g": True}
    assert one.variables == known


def test_a_scenario_with_commands_needs_the_api(tmp_path: Path) -> None:
    [silent] = read(tmp_path, "steps: [{plug: 1}]\n")
    [commanding] = read(tmp_path, "steps: [{command: ClearCache}]\n")
    [repeating] = read(tmp_path, "steps: [{repeat: {times: 2, steps: [{command: ClearCache}]}}]\n")

    assert (silent.needs_api, commanding.needs_api, repeating.needs_api) == (False, True, True)


def test_a_module_of_python_is_a_scenario(tmp_path: Path) -> None:
    text = '"""Says hello."""\nNAME = "Hello"\nVERSIONS = ["1.6", "2.1"]\nasync def scenario(stage):\n    pass\n'

    found = read(tmp_path, text, "hello.py")

    assert [(one.title, one.description) for one in found] == [
        ("Hello (1.6)", "Says hello."),
        ("Hello (2.1)", "Says hello."),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\n", "there is no `async def scenario(stage)` in it."),
        ("def scenario(stage):\n    pass\n", "there is no `async def scenario(stage)` in it."),
        ("import nowhere_at_all\n", "No module named 'nowhere_at_all'."),
        ("VERSIONS = 5\nasync def scenario(stage):\n    pass\n", "Expected `array`, got `int` - at `$.versions`."),
    ],
)
def test_a_module_that_is_none_is_told(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ValueError) as told:  # noqa: PT011
        read(tmp_path, text, "wrong.py")

    assert str(told.value) == f"{tmp_path / 'wrong.py'}: {reason}"


def test_only_some_can_be_wanted(tmp_path: Path) -> None:
    file = written(tmp_path, "name: A crowd\nversions: [1.6, 2.0.1]\nsteps: [{plug: 1}]\n")

    assert [one.version for one in load([file], "CROWD (2")] == ["2.0.1"]
