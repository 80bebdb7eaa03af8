"""What is asked of any station, in the words of each version; and that official schemas allow them."""

from typing import Any

import msgspec
import pytest

from csms_api.v2.neutral import Untranslatable, is_at, translate
from csms_api.v2.verbs import Availability, Reset, Start, Stop, Unlock, Verb
from csms_ocpp import schemas
from csms_ocpp.version import StationId, Version
from csms_platform.ports import Transaction

V1 = (Version.V1_5, Version.V1_6)
V2 = (Version.V2_0_1, Version.V2_1)
TOKEN = {"idToken": "A1", "type": "ISO14443"}
START, STOP = "RequestStartTransaction", "RequestStopTransaction"
AVAILABILITY = "ChangeAvailability"

FIRST: list[tuple[Verb, str, dict[str, Any]]] = [
    (Start("A1"), "RemoteStartTransaction", {"idTag": "A1"}),
    (Start("A1", connector_id=2), "RemoteStartTransaction", {"idTag": "A1", "connectorId": 2}),
    (Start("A1", evse_id=3), "RemoteStartTransaction", {"idTag": "A1", "connectorId": 3}),
    (Stop(41), "RemoteStopTransaction", {"transactionId": 41}),
    (Stop("41"), "RemoteStopTransaction", {"transactionId": 41}),
    (Reset("soft"), "Reset", {"type": "Soft"}),
    (Reset("onIdle"), "Reset", {"type": "Soft"}),
    (Reset("hard"), "Reset", {"type": "Hard"}),
    (Reset("immediate"), "Reset", {"type": "Hard"}),
    (Unlock(2, evse_id=1), "UnlockConnector", {"connectorId": 2}),
    (Availability(True), AVAILABILITY, {"connectorId": 0, "type": "Operative"}),
    (Availability(False, connector_id=2), AVAILABILITY, {"connectorId": 2, "type": "Inoperative"}),
    (Availability(False, evse_id=2), AVAILABILITY, {"connectorId": 2, "type": "Inoperative"}),
]
SECOND: list[tuple[Verb, str, dict[str, Any]]] = [
    (Start("A1"), START, {"idToken": TOKEN, "remoteStartId": 7}),
    (Start("A1", connector_id=2), START, {"idToken": TOKEN, "remoteStartId": 7, "evseId": 2}),
    (Start("A1", connector_id=2, evse_id=3), START, {"idToken": TOKEN, "remoteStartId": 7, "evseId": 3}),
    (
        Start("A1", token_type="Central"),
        START,
        {"idToken": {"idToken": "A1", "type": "Central"}, "remoteStartId": 7},
    ),
    (Stop("t-1"), STOP, {"transactionId": "t-1"}),
    (Stop(41), STOP, {"transactionId": "41"}),
    (Reset("soft"), "Reset", {"type": "OnIdle"}),
    (Reset("onIdle"), "Reset", {"type": "OnIdle"}),
    (Reset("hard"), "Reset", {"type": "Immediate"}),
    (Reset("immediate"), "Reset", {"type": "Immediate"}),
    (Unlock(2), "UnlockConnector", {"evseId": 2, "connectorId": 1}),
    (Unlock(2, evse_id=1), "UnlockConnector", {"evseId": 1, "connectorId": 2}),
    (Availability(True), AVAILABILITY, {"operationalStatus": "Operative"}),
    (Availability(False, connector_id=2), AVAILABILITY, {"operationalStatus": "Inoperative", "evse": {"id": 2}}),
    (Availability(False, evse_id=2), AVAILABILITY, {"operationalStatus": "Inoperative", "evse": {"id": 2}}),
    (
        Availability(True, connector_id=1, evse_id=2),
        AVAILABILITY,
        {"operationalStatus": "Operative", "evse": {"id": 2, "connectorId": 1}},
    ),
]


@pytest.mark.parametrize(
    ("version", "verb", "action", "payload"),
    [(version, *row) for version in V1 for row in FIRST] + [(version, *row) for version in V2 for row in SECOND],
)
def test_a_verb_is_said_in_the_words_of_the_version(
    version: Version, verb: Verb, action: str, payload: dict[str, Any]
) -> None:
    assert translate(verb, version, 7) == (action, payload)


@pytest.mark.parametrize(
    ("version", "verb"),
    [(Version.V1_6, row[0]) for row in FIRST] + [(version, row[0]) for version in V2 for row in SECOND],
)
def test_what_is_said_is_what_the_official_schema_allows(version: Version, verb: Verb) -> None:
    action, payload = translate(verb, version, 2**31 - 1)

    assert schemas.table(version)[action, schemas.REQUEST].check(msgspec.json.encode(payload)) is None


@pytest.mark.parametrize("id", ["t-1", "4" * 11, "²", "-1"])
def test_transactions_of_1_x_have_numbers(id: str) -> None:
    with pytest.raises(Untranslatable, match=r"is no number, as the transactions of OCPP 1.x have\.$"):
        translate(Stop(id), Version.V1_6, 7)


@pytest.mark.parametrize("version", Version)
def test_a_stop_must_say_of_which_transaction(version: Version) -> None:
    with pytest.raises(Untranslatable, match="must say which transaction"):
        translate(Stop(), version, 7)


@pytest.mark.parametrize(
    ("version", "connector", "evse", "stop", "there"),
    [
        (Version.V1_6, 2, 0, Stop(connector_id=2), True),
        (Version.V1_6, 2, 0, Stop(evse_id=2), True),
        (Version.V1_6, 1, 0, Stop(connector_id=2), False),
        (Version.V2_0_1, 1, 2, Stop(evse_id=2), True),
        (Version.V2_0_1, 1, 2, Stop(connector_id=2), True),
        (Version.V2_0_1, 1, 2, Stop(connector_id=1), False),
        (Version.V2_1, 1, 2, Stop(evse_id=2, connector_id=1), True),
        (Version.V2_1, 0, 2, Stop(evse_id=2, connector_id=1), True),
        (Version.V2_1, 1, 2, Stop(evse_id=2, connector_id=2), False),
    ],
)
def test_a_place_is_a_connector_in_1_x_and_an_evse_in_2_x(
    version: Version, connector: int, evse: int, stop: Stop, there: bool
) -> None:
    transaction = Transaction(StationId("CS-1"), "1", connector=connector, evse=evse)

    assert is_at(transaction, stop, version) is there
