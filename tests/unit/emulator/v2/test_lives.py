"""Whole lives with whatever may happen: the promises that hold in all of them."""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csms_emulator.actions import Transferred
from csms_emulator.deeds import Clear, Deed, Depart, Fault, Park, Plug, PowerCycle, Swipe, Unplug
from csms_emulator.v2.outbox import Outbox
from csms_emulator.v2.station import Station
from csms_emulator.v2.transactions import ChargingState, Transaction
from csms_ocpp import schemas
from csms_ocpp.session import Outcome
from csms_ocpp.version import Version
from tests.unit.emulator.driving import TIME, Payload
from tests.unit.emulator.v2.asking import named
from tests.unit.emulator.v2.driving import OTHER, TOKEN, Central

TRUE_OR_NOT = ("true", "false")
LATER = "2023-11-14T22:40:00Z"
FIRMWARE = {"location": "ftp://example.org/fw-2.0.bin", "retrieveDateTime": LATER}
WATCHED = {**named("ChargingStation", "Temperature"), "type": "PeriodicClockAligned", "severity": 5}

COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 1}),
    ("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 2, "evseId": 2}),
    ("RequestStopTransaction", {"transactionId": "ongoing"}),
    ("GetTransactionStatus", {"transactionId": "ongoing"}),
    ("GetTransactionStatus", {}),
    ("Reset", {"type": "Immediate"}),
    ("Reset", {"type": "OnIdle"}),
    ("Reset", {"type": "ImmediateAndResume"}),
    ("Reset", {"type": "Immediate", "evseId": 1}),
    ("Reset", {"type": "OnIdle", "evseId": 2}),
    ("TriggerMessage", {"requestedMessage": "MeterValues"}),
    ("TriggerMessage", {"requestedMessage": "TransactionEvent"}),
    ("TriggerMessage", {"requestedMessage": "BootNotification"}),
    ("TriggerMessage", {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}),
    ("ChangeAvailability", {"operationalStatus": "Inoperative"}),
    ("ChangeAvailability", {"operationalStatus": "Operative"}),
    ("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}}),
    ("UnlockConnector", {"evseId": 1, "connectorId": 1}),
    ("ReserveNow", {"id": 7, "expiryDateTime": LATER, "idToken": TOKEN, "evseId": 1}),
    ("ReserveNow", {"id": 7, "expiryDateTime": "2023-11-15T22:40:00Z", "idToken": OTHER}),
    ("CancelReservation", {"reservationId": 7}),
    ("ClearCache", {}),
    ("CustomerInformation", {"requestId": 1, "report": True, "clear": True, "idToken": TOKEN}),
    ("GetLog", {"requestId": 1, "logType": "SecurityLog", "log": {"remoteLocation": "ftp://example.org"}}),
    ("UpdateFirmware", {"requestId": 1, "firmware": FIRMWARE}),
    ("PublishFirmware", {"requestId": 1, "location": "ftp://example.org/f", "checksum": "c0ffee"}),
    ("SetVariableMonitoring", {"setMonitoringData": [{**WATCHED, "value": 7}]}),
    ("SetVariableMonitoring", {"setMonitoringData": [{**WATCHED, "value": 5, "periodicEventStream": {"values": 3}}]}),
    ("ClearVariableMonitoring", {"id": [1]}),
    ("SetMonitoringBase", {"monitoringBase": "FactoryDefault"}),
]

REPLIES: list[tuple[str, Payload]] = [
    ("BootNotification", {"status": "Pending", "currentTime": TIME, "interval": 5}),
    ("BootNotification", {"status": "Accepted", "currentTime": TIME, "interval": 100}),
    ("BootNotification", {"status": "Rejected", "currentTime": TIME, "interval": 5}),
    ("Authorize", {"idTokenInfo": {"status": "Blocked"}}),
    ("Authorize", {"idTokenInfo": {"status": "Accepted"}}),
    ("TransactionEvent", {"idTokenInfo": {"status": "Invalid"}}),
    ("TransactionEvent", {}),
]

BY_HAND: list[Deed] = [
    Park(1),
    Depart(1),
    Plug(1),
    Plug(2, "00:7D:FA:00:00:01"),
    Unplug(1),
    Unplug(2),
    Swipe(1, "TAG"),
    Swipe(1, "OTHER"),
    Swipe(2, "TAG"),
    Fault(1, "GroundFailure"),
    Fault(2, "WeakSignal"),
    Clear(1),
    Clear(2),
    PowerCycle(),
]

VARIABLES: list[tuple[str, str, str]] = [
    *[
        ("TxCtrlr", point, value)
        for point in ("TxStartPoint", "TxStopPoint")
        for value in (
            "PowerPathClosed",
            "EVConnected,Authorized",
            "EVConnected",
            "Authorized",
            "ParkingBayOccupancy",
            "EnergyTransfer",
            "DataSigned",
            "",
        )
    ],
    *[("TxCtrlr", name, value) for name in ("StopTxOnInvalidId", "StopTxOnEVSideDisconnect") for value in TRUE_OR_NOT],
    *[("AuthCtrlr", name, value) for name in ("Enabled", "AuthorizeRemoteStart") for value in TRUE_OR_NOT],
    *[("AlignedDataCtrlr", name, value) for name in ("Enabled", "SendDuringIdle") for value in TRUE_OR_NOT],
    ("AlignedDataCtrlr", "TxEndedInterval", "600"),
    ("AlignedDataCtrlr", "TxEndedMeasurands", "Energy.Active.Import.Register"),
    ("SampledDataCtrlr", "TxEndedInterval", "120"),
    ("TxCtrlr", "MaxEnergyOnInvalidId", "100"),
]

deeds = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.sampled_from([1.0, 10.0, 60.0, 300.0, 1800.0])),
        st.tuples(st.just("command"), st.sampled_from(COMMANDS)),
        st.tuples(st.just("variable"), st.sampled_from(VARIABLES)),
        st.tuples(st.just("hand"), st.sampled_from(BY_HAND)),
        st.tuples(st.just("disconnect"), st.none()),
        st.tuples(st.just("fail"), st.sampled_from([Outcome.TIMEOUT, Outcome.ERROR])),
        st.tuples(st.just("forget"), st.none()),
        st.tuples(st.just("reply"), st.sampled_from(REPLIES)),
    ),
    max_size=40,
)


DEEDS: list[Callable[[Random], tuple[str, Any]]] = [
    *[lambda random: ("run", random.choice([1.0, 10.0, 60.0, 300.0, 1800.0]))] * 3,
    *[lambda random: ("command", random.choice(COMMANDS))] * 3,
    lambda random: ("variable", random.choice(VARIABLES)),
    *[lambda random: ("hand", random.choice(BY_HAND))] * 3,
    lambda random: ("disconnect", None),
    lambda random: ("fail", random.choice([Outcome.TIMEOUT, Outcome.ERROR])),
    lambda random: ("forget", None),
    lambda random: ("reply", random.choice(REPLIES)),
]


def is_known(version: Version, action: str, request: Payload) -> bool:
    """Whether this version has this command: 2.0.1 has no ImmediateAndResume."""
    return schemas.table(version)[action, schemas.REQUEST].check(msgspec.json.encode(request)) is None


def live(central: Central, deed: str, value: Any) -> None:
    """One thing happens to the station, wherever it is in its life."""
    if central.reconnect is not None:
        central.run(central.reconnect)
        central.connect()
    match deed:
        case "run":
            central.run(value)
        case "command" if is_known(central.version, *value):
            central.command(value[0], _named(central, value[1]))
        case "variable":
            component, variable, text = value
            central.station.device.set(component, variable, text)
        case "hand":
            central.do(value)
        case "disconnect":
            central.disconnect()
        case "fail" if central.pending:
            central.fail(value, "InternalError")
        case "forget" if central.pending:
            central.fail(Outcome.ERROR, "SecurityError")
        case "reply":
            central.replies[value[0]] = value[1]
    if central.transfers:
        central.transfers = central.transfers[-1:]
        central.transferred(Transferred(b"file"))
    if central.leaving:
        central.disconnect()
    _look(central.station)


def _look(station: Station) -> None:
    """What is so at any time: the device model knows the status, and energy flows to whom somebody has authorized."""
    for number, evse in station.evses.items():
        assert station.device.get("EVSE", "AvailabilityState", evse=number) == evse.status
        assert not (evse.holder and evse.error)
        if evse.transaction and evse.transaction.state is ChargingState.CHARGING:
            assert evse.car
            assert evse.holder


def _named(central: Central, request: Payload) -> Payload:
    ongoing = next((e.transaction.uuid for e in central.station.evses.values() if e.transaction), "none")
    return {**request, "transactionId": ongoing} if request.get("transactionId") else request


@given(st.integers(0, 2**32), st.sampled_from([Version.V2_0_1, Version.V2_1]), deeds)
@settings(max_examples=150, deadline=None)
def test_whatever_happens_a_station_keeps_its_promises(
    seed: int, version: Version, happenings: list[tuple[str, Any]]
) -> None:
    """Schema-valid, one CALL at a time (both checked by the driver); and every transaction is told as it was."""
    central = Central(seed=seed, version=version, connectors=2, drivers=seed % 3 > 0)
    central.connect()

    for deed, value in happenings:
        live(central, deed, value)

    for events in _by_transaction(central).values():
        _check(events)


@pytest.mark.parametrize("seed", range(40))
def test_long_lives_full_of_incidents_are_told_as_they_were(seed: int) -> None:
    random = Random(seed)
    version = random.choice([Version.V2_0_1, Version.V2_1])
    central = Central(seed=seed, version=version, connectors=2, drivers=seed % 3 > 0)
    central.connect()

    for _ in range(80):
        live(central, *random.choice(DEEDS)(random))

    for events in _by_transaction(central).values():
        _check(events)


def test_a_whole_day_is_told_without_gaps() -> None:
    for seed in range(3):
        central = Central(seed=seed, connectors=2)
        central.connect()
        central.run(86_400)

        told = _by_transaction(central)
        assert len(told) > 20
        for events in told.values():
            assert [event["seqNo"] for event in events] == list(range(len(events)))
            _check(events)


def _by_transaction(central: Central) -> dict[str, list[Payload]]:
    told: dict[str, list[Payload]] = {}
    for event in central.payloads("TransactionEvent"):
        told.setdefault(event["transactionInfo"]["transactionId"], []).append(event)
    return told


def _check(events: list[Payload]) -> None:
    """In order, from one start to at most one end; nothing is said again but what was not heard."""
    numbers = [event["seqNo"] for event in events]
    distinct = [event for event, before in zip(events, [-1, *numbers], strict=False) if event["seqNo"] != before]
    kinds = [event["eventType"] for event in distinct]
    energies = [e["meterValue"][-1]["sampledValue"][0]["value"] for e in events if "meterValue" in e]
    assert numbers == sorted(numbers)
    assert kinds[0] == "Started"
    assert kinds.count("Started") == 1
    assert "Ended" not in kinds[:-1]
    assert energies == sorted(energies)


def test_a_full_outbox_drops_the_oldest_update_and_never_a_start_or_an_end() -> None:
    outbox, transaction = Outbox(), Transaction(connector=1, id_tag="", meter_start=0, started=0.0, uuid="u")

    outbox.keep("TransactionEvent", transaction.event("Started", "Authorized", TIME, offline=True), transaction)
    for _ in range(1100):
        outbox.keep(
            "TransactionEvent", transaction.event("Updated", "MeterValuePeriodic", TIME, offline=True), transaction
        )
    outbox.keep("TransactionEvent", transaction.event("Ended", "RemoteStop", TIME, offline=True), transaction)

    left: list[int] = []
    while message := outbox.next(0.0, "Accepted"):
        left.append(message.body["seqNo"])
        outbox.delivered()
    assert left == [0, *range(103, 1101), 1101]
