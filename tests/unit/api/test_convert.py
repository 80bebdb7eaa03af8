"""Payloads from names and texts: places, types, and what cannot be a name."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms_api.convert import BadName, payload
from csms_api.operations import VERSIONS, operations, schema_of
from csms_api.samples import sample
from csms_ocpp import schemas
from csms_ocpp.version import Version

SCHEMA = {
    "definitions": {"Part": {"type": "object", "properties": {"on": {"type": "boolean"}}}},
    "properties": {
        "count": {"type": "integer"},
        "limit": {"type": "number"},
        "on": {"type": "boolean"},
        "text": {"type": "string"},
        "word": {"type": "string", "enum": ["1", "true"]},
        "part": {"$ref": "#/definitions/Part"},
        "parts": {"type": "array", "items": {"$ref": "#/definitions/Part"}},
        "numbers": {"type": "array", "items": {"type": "integer"}},
        "any": {"type": "array"},
    },
}


def read(*pairs: tuple[str, str]) -> Any:
    return msgspec.json.decode(payload(pairs, SCHEMA))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", "-12", -12),
        ("count", "007", 7),
        ("count", "1.0", "1.0"),
        ("count", "one", "one"),
        ("count", "9" * 5000, "9" * 5000),
        ("limit", "16", 16),
        ("limit", "16.5", 16.5),
        ("limit", "1e2", 100.0),
        ("limit", "1e999", "1e999"),
        ("limit", "NaN", "NaN"),
        ("on", "true", True),
        ("on", "False", False),
        ("on", "0", False),
        ("on", "maybe", "maybe"),
        ("text", "12", "12"),
        ("text", '{"a":1}', '{"a":1}'),
        ("word", "1", "1"),
        ("part", '{"on":"true"}', {"on": "true"}),
        ("part", "[1]", "[1]"),
        ("parts", '[{"on":true}]', [{"on": True}]),
        ("numbers", "7", [7]),
        ("numbers", "[7, 8]", [7, 8]),
        ("numbers[]", "7", [7]),
        ("any", "7", ["7"]),
        ("unknown", "7", "7"),
    ],
)
def test_a_text_becomes_what_its_schema_says_or_stays_a_text(name: str, text: str, value: Any) -> None:
    assert read((name, text)) == {name.removesuffix("[]"): value}


@pytest.mark.parametrize("name", ["part.on", "part[on]"])
def test_both_notations_name_places_inside_objects(name: str) -> None:
    assert read((name, "true")) == {"part": {"on": True}}


def test_items_of_arrays_are_named_by_number_or_by_repetition() -> None:
    numbered = read(("parts[10][on]", "0"), ("parts[2][on]", "1"), ("parts.3.on", "1"))
    repeated = read(("numbers", "1"), ("numbers", "2"), ("numbers[]", "3"))

    assert numbered == {"parts": [{"on": True}, {"on": True}, {"on": False}]}
    assert repeated == {"numbers": [1, 2, 3]}


def test_a_name_given_twice_is_left_for_the_schema_to_refuse() -> None:
    assert read(("count", "1"), ("count", "2")) == {"count": ["1", "2"]}


@pytest.mark.parametrize(
    "names",
    [
        ("",),
        ("[a]",),
        ("a[",),
        ("a]",),
        ("a[b]c",),
        ("a..b",),
        ("a[][b]",),
        ("a" + "[b]" * 20,),
        ("a", "a.b"),
        ("a.b", "a"),
    ],
)
def test_names_that_say_no_place_are_refused_with_a_sentence(names: tuple[str, ...]) -> None:
    with pytest.raises(BadName) as refused:
        read(*((name, "x") for name in names))

    assert str(refused.value).endswith((".", "]"))


@given(st.lists(st.tuples(st.text(), st.text())))
def test_nothing_that_a_client_names_breaks_it(pairs: list[tuple[str, str]]) -> None:
    try:
        found = read(*pairs)
    except BadName:
        return

    assert isinstance(found, dict)


def flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """The names and texts of a form for `value`."""
    if isinstance(value, dict) and (value or not name):
        return [pair for key, item in value.items() for pair in flat(item, f"{name}[{key}]" if name else key)]
    if isinstance(value, list):
        return [pair for index, item in enumerate(value) for pair in flat(item, f"{name}[{index}]")]
    return [(name, value if isinstance(value, str) else msgspec.json.encode(value).decode())]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_form_with_the_sample_of_any_operation_gives_a_valid_payload(version: Version) -> None:
    for operation in operations(version):
        example = sample(version, operation)

        made = payload(flat(example), schema_of(operation, version))

        assert schemas.table(version)[operation, schemas.REQUEST].check(made) is None, operation
        assert msgspec.json.decode(made) == example


def test_numbers_are_finite() -> None:
    assert math.isfinite(read(("limit", "1e308"))["limit"])
