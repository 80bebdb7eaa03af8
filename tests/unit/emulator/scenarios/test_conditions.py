"""The language of `where`: what holds of a payload, and what is no condition."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from csms_emulator.scenarios.conditions import parse, parse_path
from csms_emulator.scenarios.paths import values
from csms_emulator.scenarios.words import WordsError

STOP = {"reason": "Remote", "meterStop": 120, "transactionId": 7, "idTag": None, "late": False}
SAMPLES = [
    {"value": "43459", "measurand": "Energy.Active.Import.Register"},
    {"value": "1499.5", "measurand": "Power.Active.Import", "unit": "W"},
]
METER = {"meterValue": [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": SAMPLES}], "tags": ["a", "b"]}
JSON = some.recursive(
    some.none() | some.booleans() | some.floats() | some.integers() | some.text(max_size=5),
    lambda inner: (
        some.lists(inner, max_size=3) | some.dictionaries(some.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
)


@pytest.mark.parametrize(
    "sentence",
    [
        "reason == Remote",
        "reason == 'Remote'",
        'reason == "Remote" and meterStop >= 120',
        "reason != Local",
        "reason in [Local, Remote]",
        "reason not in [Local, Other]",
        "reason contains mot",
        "reason not contains Loc",
        'reason matches "^Re.*e$"',
        "meterStop > 119.5 and meterStop < 121 and not meterStop <= 119",
        "meterStop == '120'",
        "transactionId == $transaction",
        "meterStop >= .transactionId",
        "$start.meterStart < .meterStop",
        "idTag == null and nothing == null",
        "late == false",
        "late != 0",
        "not idTag",
        "not (reason == Local or reason == Other)",
        "reason == Local or reason == Remote and meterStop == 120",
    ],
)
def test_it_holds(sentence: str) -> None:
    assert parse(sentence).holds(STOP, {"transaction": "7", "start": {"meterStart": 100}})


@pytest.mark.parametrize(
    "sentence",
    [
        "reason == Local",
        "reason",
        "reason > 5",
        "nothing < 5",
        "nothing >= 5",
        "late",
        "meterStop contains 1",
        "meterStop matches '1'",
        "transactionId == $nothing",
        "reason.inner == Remote",
        "reason[0] == R",
    ],
)
def test_it_does_not_hold(sentence: str) -> None:
    wanted = {"reason": True}.get(sentence, False)

    assert parse(sentence).holds(STOP, {}) is wanted


@pytest.mark.parametrize(
    "sentence",
    [
        "meterValue[0].sampledValue[0].value == 43459",
        "meterValue[-1].sampledValue[-1].unit == W",
        "meterValue[0].sampledValue[measurand == Power.Active.Import].value <= 1500",
        "meterValue[*].sampledValue[*].measurand == Power.Active.Import",
        "meterValue[*].sampledValue[measurand == SoC].value == null",
        "meterValue[*].sampledValue[measurand == $wanted and unit == W].value > 1000",
        "tags contains b and tags == [a, b]",
        "meterValue[0].timestamp < '2026-06-01T00:00:00Z'",
    ],
)
def test_paths_lead_into_lists(sentence: str) -> None:
    assert parse(sentence).holds(METER, {"wanted": "Power.Active.Import"})


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("", "the name of a field is wanted, not the end (column 1)"),
        ("reason ==", "a value is wanted, not the end (column 10)"),
        ("reason == Remote nonsense", "nothing more is wanted, not 'nonsense' (column 18)"),
        ("reason = Remote", "'=' is not understood (column 8)"),
        ("(reason == Remote", "')' is wanted, not the end (column 18)"),
        ("reason in [Local Remote]", "',' or ']' is wanted, not 'Remote' (column 18)"),
        ("meterValue[", "the name of a field is wanted, not the end (column 12)"),
        ("meterValue[0 == 1", "']' is wanted, not '==' (column 14)"),
        ("reason matches '('", "the pattern is not one: missing ), unterminated subpattern at position 0 (column 16)"),
        ("reason matches $pattern", "a pattern in quotes is wanted (column 16)"),
        ("reason not Remote", "in, contains or matches is wanted, not 'Remote' (column 12)"),
        ("and == 1", "the name of a field is wanted, not 'and' (column 1)"),
        ("reason == 'Remote", '"\'" is not understood (column 11)'),
    ],
)
def test_what_is_no_condition_is_told_with_its_column(sentence: str, reason: str) -> None:
    with pytest.raises(WordsError) as told:
        parse(sentence)

    assert str(told.value) == reason


def test_a_path_answers_what_is_there() -> None:
    found = {path: values(parse_path(path), METER, {"x": {"y": 1}}) for path in ("tags[*]", "tags[9]", "$x.y", "$z")}

    assert found == {"tags[*]": ["a", "b"], "tags[9]": [None], "$x.y": [1], "$z": [None]}


@given(payload=JSON, variable=JSON)
def test_no_payload_makes_a_condition_raise(payload: object, variable: object) -> None:
    sentences = (
        "a == $v", "a < 5", "a[*].b >= $v", "a[b == $v].c in [1, x]", "a contains $v", "a matches 'x'", "not a.b.c",
        "a in $v",
    )  # fmt: skip

    assert {type(parse(sentence).holds(payload, {"v": variable})) for sentence in sentences} == {bool}
