"""1.5's JSON schemas, made from its SOAP types: what they say, and that they serve like the official ones."""

import json
from typing import Any

import jsonschema_rs
import pytest
from msgspec import Raw

from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.rules import Validation, rules_for
from csms_ocpp.schemas import REQUEST, RESPONSE, document, table
from csms_ocpp.soap import schema
from csms_ocpp.soap.tables import Service, tables
from csms_ocpp.version import DIALECTS, Version

V1_5 = Version.V1_5
ACTIONS = sorted({*asked_by(Role.STATION, V1_5), *asked_by(Role.CSMS, V1_5)})
MESSAGES = [(action, part) for action in ACTIONS for part in (REQUEST, RESPONSE)]
WHEN = "2026-03-01T10:00:00Z"

VALUES = [{"timestamp": WHEN, "value": [{"value": "16", "unit": "Amp", "context": "Sample.Clock"}, {"value": "17"}]}]
STOP = {"transactionId": 7, "timestamp": WHEN, "meterStop": 5}
BOOTED = {"status": "Accepted", "currentTime": WHEN, "heartbeatInterval": 300}
SENT_LIST = {
    "updateType": "Full",
    "listVersion": 2,
    "localAuthorisationList": [{"idTag": "T1", "idTagInfo": {"status": "Accepted", "parentIdTag": "T0"}}],
    "hash": "abc",
}


def violation(action: str, part: str, payload: dict[str, Any]) -> tuple[str, str, str] | None:
    found = table(V1_5)[action, part].check(json.dumps(payload).encode())
    return (found.code, found.rule, found.where) if found else None


def test_every_message_of_1_5_has_a_schema_and_nothing_else_has() -> None:
    assert sorted(table(V1_5)) == sorted(MESSAGES)


@pytest.mark.parametrize(("action", "part"), MESSAGES)
def test_each_is_a_draft_4_schema_with_the_message_s_name(action: str, part: str) -> None:
    found = document(V1_5, action, part)

    assert jsonschema_rs.meta.is_valid(found)
    assert (found["$schema"], found["title"]) == (
        "http://json-schema.org/draft-04/schema#",
        action + part.capitalize(),
    )


def test_an_object_says_what_it_must_have_how_long_it_may_be_and_that_there_is_nothing_else() -> None:
    assert document(V1_5, "SendLocalList", REQUEST) == {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": "SendLocalListRequest",
        "type": "object",
        "properties": {
            "updateType": {"type": "string", "enum": ["Differential", "Full"]},
            "listVersion": {"type": "integer"},
            "localAuthorisationList": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "idTag": {"type": "string", "maxLength": 20},
                        "idTagInfo": {
                            "type": "object",
                            "properties": {
                                "status": {
                                    "type": "string",
                                    "enum": ["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"],
                                },
                                "expiryDate": {"type": "string", "format": "date-time"},
                                "parentIdTag": {"type": "string", "maxLength": 20},
                            },
                            "additionalProperties": False,
                            "required": ["status"],
                        },
                    },
                    "additionalProperties": False,
                    "required": ["idTag"],
                },
            },
            "hash": {"type": "string"},
        },
        "additionalProperties": False,
        "required": ["updateType", "listVersion"],
    }


def test_a_message_without_parts_is_an_empty_object() -> None:
    assert document(V1_5, "Heartbeat", REQUEST) == {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": "HeartbeatRequest",
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("action", "part", "payload"),
    [
        ("Heartbeat", REQUEST, {}),
        ("BootNotification", RESPONSE, BOOTED),
        ("MeterValues", REQUEST, {"connectorId": 1}),
        ("MeterValues", REQUEST, {"connectorId": 1, "values": VALUES}),
        ("StopTransaction", REQUEST, STOP),
        ("StopTransaction", REQUEST, STOP | {"transactionData": [{"values": VALUES}, {}]}),
        ("SendLocalList", REQUEST, SENT_LIST),
        ("SendLocalList", RESPONSE, {"status": "HashError", "hash": "abc"}),
        ("GetConfiguration", RESPONSE, {"configurationKey": [{"key": "A", "readonly": True}], "unknownKey": []}),
        ("UnlockConnector", RESPONSE, {"status": "Rejected"}),
        ("StatusNotification", REQUEST, {"connectorId": 0, "status": "Occupied", "errorCode": "Mode3Error"}),
    ],
)
def test_what_1_5_says_passes(action: str, part: str, payload: dict[str, Any]) -> None:
    assert violation(action, part, payload) is None


OCCURRENCE = DIALECTS[V1_5].occurrence_violation
FORMATION = DIALECTS[V1_5].formation_violation


@pytest.mark.parametrize(
    ("action", "part", "payload", "found"),
    [
        ("Authorize", REQUEST, {}, (OCCURRENCE, "required", "")),
        ("Authorize", REQUEST, {"idTag": "x" * 21}, ("PropertyConstraintViolation", "maxLength", "idTag")),
        ("Reset", REQUEST, {"type": "hard"}, ("PropertyConstraintViolation", "enum", "type")),
        ("UnlockConnector", REQUEST, {"connectorId": "1"}, ("TypeConstraintViolation", "type", "connectorId")),
        ("Heartbeat", RESPONSE, {"currentTime": "now"}, ("PropertyConstraintViolation", "format", "currentTime")),
        (
            "MeterValues",
            REQUEST,
            {"connectorId": 1, "values": [{"timestamp": WHEN, "value": []}]},
            (OCCURRENCE, "minItems", "values.0.value"),
        ),
        # What 1.6 says instead.
        (
            "BootNotification",
            RESPONSE,
            {"status": "Accepted", "currentTime": WHEN, "heartbeatInterval": 1, "interval": 1},
            (FORMATION, "additionalProperties", ""),
        ),
        (
            "BootNotification",
            RESPONSE,
            BOOTED | {"status": "Pending"},
            ("PropertyConstraintViolation", "enum", "status"),
        ),
        ("UnlockConnector", RESPONSE, {"status": "Unlocked"}, ("PropertyConstraintViolation", "enum", "status")),
        ("StopTransaction", REQUEST, STOP | {"reason": "Local"}, (FORMATION, "additionalProperties", "")),
        (
            "StopTransaction",
            REQUEST,
            STOP | {"transactionData": VALUES},
            (FORMATION, "additionalProperties", "transactionData.0"),
        ),
    ],
)
def test_what_1_5_does_not_say_is_refused_in_its_words(
    action: str, part: str, payload: dict[str, Any], found: tuple[str, str, str]
) -> None:
    assert violation(action, part, payload) == found


def test_an_action_that_both_ends_ask_has_one_schema() -> None:
    both = asked_by(Role.STATION, V1_5).keys() & asked_by(Role.CSMS, V1_5).keys()
    central, point = (tables(V1_5, service) for service in Service)

    assert both == {"DataTransfer"}
    assert all(
        central.complex[f"DataTransfer{part}"] == point.complex[f"DataTransfer{part}"]
        for part in ("Request", "Response")
    )


@pytest.mark.parametrize(("action", "part"), [("TriggerMessage", REQUEST), ("TriggerMessage", RESPONSE)])
def test_what_1_5_has_not_has_no_schema(action: str, part: str) -> None:
    for find in (document, schema.document):
        with pytest.raises(KeyError):
            find(V1_5, action, part)


@pytest.mark.parametrize("role", Role)
def test_rules_for_1_5_check_payloads(role: Role) -> None:
    rules = rules_for(DIALECTS[V1_5], role, Validation.STRICT)

    found = rules.request("DataTransfer", Raw(b'{"data":"x"}'))

    assert found is not None
    assert (found.code, rules.refuse(found)) == (OCCURRENCE, True)
