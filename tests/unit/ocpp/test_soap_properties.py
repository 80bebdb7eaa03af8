"""Any JSON that is valid for an action becomes XML and the same JSON again, in every message of both versions."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csms_ocpp.schemas import REQUEST, RESPONSE, table
from csms_ocpp.soap.codec import reader, writer
from csms_ocpp.soap.tables import Service, Simple, Tables, tables
from csms_ocpp.soap.xml import parse
from csms_ocpp.version import Version

MESSAGES = [
    (version, service, action, part)
    for version in (Version.V1_5, Version.V1_6)
    for service in Service
    for action in tables(version, service).operations
    for part in (REQUEST, RESPONSE)
]
# A MeterValues without any is one in XML.
ONLY_JSON_REQUIRES = {"meterValue"}
# XML 1.0 §2.2 Char: no other characters can be written.
CHARACTERS = st.characters(
    exclude_categories=("Cs",),
    exclude_characters=[chr(code) for code in range(32) if chr(code) not in "\t\n\r"] + ["\ufffe", "\uffff"],
)
TIMES = st.datetimes().map(lambda time: time.isoformat() + "Z")


def values(simple: Simple) -> st.SearchStrategy[Any]:
    """What JSON holds for a type; an id tag has no line breaks, which are taken for pretty printing."""
    if simple.values:
        return st.sampled_from(simple.values)
    match simple.base:
        case "int":
            return st.integers(-(2**31), 2**31 - 1)
        case "decimal":
            return st.integers(0, 10**7).map(lambda tenths: tenths / 10)
        case "boolean":
            return st.booleans()
        case "dateTime":
            return TIMES
        case "anyURI":
            return st.text("abc/._-~%20", max_size=20).map(
                lambda path: f"ftp://files.example/{path.replace('%', '%20')}"
            )
    characters = (
        st.characters(codec="ascii", categories=("L", "N", "P", "Zs")) if simple.name == "IdToken" else CHARACTERS
    )
    return st.text(characters, max_size=simple.longest or 100)


def payloads(known: Tables, name: str) -> st.SearchStrategy[dict[str, Any]]:
    if name in known.simple:
        return values(known.simple[name])
    about = known.complex[name]
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for field in about.fields:
        one = payloads(known, field.type)
        # An element that is not there at all reads as an absent array, not as an empty one.
        made = st.lists(one, min_size=1, max_size=3) if field.many else one
        (required if field.required or field.name in ONLY_JSON_REQUIRES else optional)[field.name] = made
    if about.text:
        required["value"] = values(known.simple[about.text])
    return st.fixed_dictionaries(required, optional=optional)


@pytest.mark.parametrize(("version", "service", "action", "part"), MESSAGES)
def test_json_survives_xml(version: Version, service: Service, action: str, part: str) -> None:
    message = action + part.capitalize()
    write, read = writer(version, service, message), reader(version, service, message)
    schema = table(version)[action, part]

    @settings(max_examples=40, derandomize=True, deadline=None, database=None)
    @given(payloads(tables(version, service), message))
    def survives(payload: dict[str, Any]) -> None:
        text = json.dumps(payload).encode()
        root = parse(write(text).encode())

        assert not isinstance(root, str), root
        found = read(root)
        assert json.loads(found) == payload
        assert (schema.check(text), schema.check(found)) == (None, None)

    survives()
