"""docs/asyncapi.yaml is whole, and says what the code says.

Real messages are held to it in `tests/e2e/test_events.py`.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from csms_ocpp.events import Outcome
from csms_ocpp.version import Version
from csms_platform.outside import Event
from csms_router.outcomes import Reply
from tests.support.asyncapi import FILE, complaints, document

COMMANDS = FILE.with_name("commands.md").read_text(encoding="utf-8")
TYPES = re.findall(r"^ {8}(\w+) {2,}", Event.__doc__ or "", re.MULTILINE)
MESSAGES = document()["components"]["messages"]
SCHEMAS = document()["components"]["schemas"]


def references(node: Any) -> Iterator[str]:
    """Every $ref below `node`."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from references(child)


def at(reference: str) -> Any:
    """What a reference leads to. Raises LookupError."""
    found = document()
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def names(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}


def test_it_is_an_asyncapi_document() -> None:
    assert document()["asyncapi"] == "3.0.0"
    assert document().keys() >= {"info", "servers", "channels", "operations", "components"}
    assert document()["info"].keys() >= {"title", "version"}


def test_every_reference_leads_somewhere() -> None:
    for reference in references(document()):
        assert isinstance(at(reference), dict), reference


def test_nothing_is_described_that_no_message_uses() -> None:
    used = set(references(document()))

    assert {f"#/components/schemas/{name}" for name in SCHEMAS} <= used
    assert {f"#/components/messages/{name}" for name in MESSAGES} <= used


def test_every_operation_names_a_channel_and_every_message_a_payload() -> None:
    channels = {f"#/channels/{name}" for name in document()["channels"]}
    operations = document()["operations"].values()
    used = {one["channel"]["$ref"] for one in operations} | {
        document()["operations"]["command"]["reply"]["channel"]["$ref"]
    }

    assert used == channels
    assert {one["action"] for one in operations} == {"send", "receive"}
    assert all("payload" in message for message in MESSAGES.values())


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str) -> None:
    assert complaints(name, None)  # it compiles, and takes not everything


def test_the_events_are_those_that_are_emitted() -> None:
    events = document()["channels"]["events"]["messages"]

    assert sorted(events) == sorted(TYPES)
    assert [SCHEMAS[name]["properties"]["type"] for name in events] == [{"const": name} for name in events]
    assert re.findall(r"^\| `(\w+)` \|", COMMANDS.partition("| `type` | says |")[2], re.MULTILINE) == TYPES


def test_the_fields_of_events_are_those_that_the_code_has() -> None:
    described = [set(SCHEMAS[name]["properties"]) for name in TYPES]

    assert set().union(*described) == names(Event)
    assert all({"id", "time", "type", "identity"} <= set(SCHEMAS[name]["required"]) for name in TYPES)


def test_the_words_are_those_that_the_code_has() -> None:
    assert set(SCHEMAS["outcomeWord"]["enum"]) == {outcome.value for outcome in Outcome}
    assert set(SCHEMAS["version"]["enum"]) == {version.value for version in Version}
    assert set(SCHEMAS["outcome"]["properties"]) == names(Reply)


def test_an_outcome_in_the_text_is_one_by_its_schema() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", COMMANDS, re.DOTALL)
    outcomes = [msgspec.json.decode(line) for line in block.splitlines()]

    assert [outcome["outcome"] for outcome in outcomes] == ["result", "NotConnected"]
    assert [complaints("outcome", outcome) for outcome in outcomes] == [[], []]


def test_what_is_not_documented_is_complained_about() -> None:
    assert complaints("connected", {"type": "connected", "surprise": 1})
