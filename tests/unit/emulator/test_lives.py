"""Whole lives with whatever may happen: the promises that hold in all of them."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from csms_emulator.deeds import Clear, Deed, Depart, Fault, Park, Plug, PowerCycle, Skew, Swipe, Unplug
from csms_emulator.outbox import Message, Outbox, Transaction
from csms_ocpp import schemas
from csms_ocpp.catalog import Role, asked_by
from csms_ocpp.session import Outcome
from csms_ocpp.version import Version
from tests.unit.emulator.driving import NEW, Central, Payload

# OCPP 1.6 §4.9, the whole table, told here a second time on purpose.
ALLOWED = {
    "Available": {"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Reserved", "Unavailable"},
    "Preparing": {"Available", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"},
    "Charging": {"Available", "SuspendedEV", "SuspendedEVSE", "Finishing", "Unavailable"},
    "SuspendedEV": {"Available", "Charging", "SuspendedEVSE", "Finishing", "Unavailable"},
    "SuspendedEVSE": {"Available", "Charging", "SuspendedEV", "Finishing", "Unavailable"},
    "Finishing": {"Available", "Preparing", "Unavailable"},
    "Reserved": {"Available", "Preparing", "Unavailable"},
    "Unavailable": {"Available", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE"},
}
ALLOWED = {before: {*after, "Faulted"} for before, after in ALLOWED.items()} | {"Faulted": {*ALLOWED}}

PERIODS = [{"startPeriod": 0, "limit": 9.5}, {"startPeriod": 60, "limit": 0}, {"startPeriod": 600, "limit": 20}]
PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 1,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": PERIODS},
}
STATION_PROFILE = {
    "chargingProfileId": 2,
    "stackLevel": 0,
    "chargingProfilePurpose": "ChargePointMaxProfile",
    "chargingProfileKind": "Recurring",
    "recurrencyKind": "Daily",
    "chargingSchedule": {
        "chargingRateUnit": "W",
        "startSchedule": "2023-11-14T22:20:00.5Z",
        "chargingSchedulePeriod": PERIODS,
    },
}

COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("RemoteStartTransaction", {"idTag": "REMOTE"}),
    ("RemoteStartTransaction", {"idTag": "REMOTE", "connectorId": 2}),
    ("RemoteStopTransaction", {"transactionId": 1}),
    ("RemoteStopTransaction", {"transactionId": 2}),
    ("Reset", {"type": "Soft"}),
    ("Reset", {"type": "Hard"}),
    ("TriggerMessage", {"requestedMessage": "MeterValues"}),
    ("TriggerMessage", {"requestedMessage": "StatusNotification"}),
    ("TriggerMessage", {"requestedMessage": "BootNotification"}),
    ("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
    ("ChangeAvailability", {"connectorId": 0, "type": "Operative"}),
    ("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}),
    ("UnlockConnector", {"connectorId": 1}),
    ("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "7"}),
    ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "30"}),
    ("GetConfiguration", {}),
    ("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": PROFILE}),
    ("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": STATION_PROFILE}),
    (
        "SetChargingProfile",
        {"connectorId": 1, "csChargingProfiles": {**PROFILE, "chargingProfilePurpose": "TxProfile"}},
    ),
    ("ClearChargingProfile", {}),
    ("GetCompositeSchedule", {"connectorId": 0, "duration": 100_000}),
    ("GetCompositeSchedule", {"connectorId": 2, "duration": 1000, "chargingRateUnit": "W"}),
    ("ChangeConfiguration", {"key": "ClockAlignedDataInterval", "value": "100"}),
    ("ChangeConfiguration", {"key": "StopTxnSampledData", "value": "SoC,Power.Offered"}),
    ("ChangeConfiguration", {"key": "LocalPreAuthorize", "value": "true"}),
    ("ChangeConfiguration", {"key": "StopTransactionOnInvalidId", "value": "false"}),
    ("ChangeConfiguration", {"key": "MaxEnergyOnInvalidId", "value": "900"}),
    ("ReserveNow", {"connectorId": 0, "expiryDate": "2023-11-15T22:40:00Z", "idTag": "OTHER", "reservationId": 8}),
    ("ReserveNow", {"connectorId": 1, "expiryDate": "2023-11-14T22:40:00Z", "idTag": "REMOTE", "reservationId": 7}),
    ("ReserveNow", {"connectorId": 2, "expiryDate": "2023-11-15T22:40:00Z", "idTag": "OTHER", "reservationId": 7}),
    ("CancelReservation", {"reservationId": 7}),
    ("UpdateFirmware", {"location": "ftp://example.org/", "retrieveDate": "2023-11-14T22:30:00"}),
]

TIME = "2024-01-01T00:00:00Z"
REPLIES: list[tuple[str, dict[str, Any]]] = [
    ("BootNotification", {"status": "Pending", "currentTime": TIME, "interval": 5}),
    ("BootNotification", {"status": "Accepted", "currentTime": TIME, "interval": 100}),
    ("BootNotification", {"status": "Rejected", "currentTime": TIME, "heartbeatInterval": 5}),
    ("BootNotification", {"status": "Accepted", "currentTime": TIME, "heartbeatInterval": 100}),
    ("Authorize", {"idTagInfo": {"status": "Blocked"}}),
    ("Authorize", {"idTagInfo": {"status": "Accepted"}}),
    ("StartTransaction", {"transactionId": NEW, "idTagInfo": {"status": "Invalid"}}),
]

BY_HAND: list[Deed] = [
    Park(),
    Depart(),
    Plug(),
    Plug(vehicle="01234567890A"),
    Unplug(),
    Swipe(1, "OTHER"),
    Swipe(2, "REMOTE"),
    Fault(1, "GroundFailure"),
    Clear(),
    PowerCycle(),
    Skew(-7200),
]

deeds = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.sampled_from([1.0, 10.0, 60.0, 300.0, 1800.0])),
        st.tuples(st.just("command"), st.sampled_from(COMMANDS)),
        st.tuples(st.just("by hand"), st.sampled_from(BY_HAND)),
        st.tuples(st.just("disconnect"), st.none()),
        st.tuples(st.just("fail"), st.sampled_from([Outcome.TIMEOUT, Outcome.ERROR])),
        st.tuples(st.just("forget"), st.none()),
        st.tuples(st.just("reply"), st.sampled_from(REPLIES)),
    ),
    max_size=40,
)


def is_answer(version: Version, action: str, reply: Payload) -> bool:
    """Whether this version has this answer: 1.5 knows neither Pending nor `interval`."""
    return schemas.table(version)[action, schemas.RESPONSE].check(msgspec.json.encode(reply)) is None


class Life:
    """A central system, and what is remembered to judge the station by."""

    def __init__(self, seed: int, version: Version = Version.V1_6, *, drivers: bool = True) -> None:
        self.central = Central(seed=seed, connectors=2, version=version, drivers=drivers)
        self.registers: dict[int, float] = {}
        self.central.watch = self.look
        self.central.connect()

    def look(self) -> None:
        for number, connector in self.central.station.connectors.items():
            assert connector.register >= self.registers.get(number, 0.0)
            self.registers[number] = connector.register
            charges = connector.status in ("Charging", "SuspendedEV", "SuspendedEVSE")
            assert (connector.transaction is not None) == charges

    def live(self, deed: str, value: Any) -> None:
        central = self.central
        if central.reconnect is not None:
            central.run(central.reconnect)
            self.connect()
        match deed:
            case "run":
                central.run(value)
            case "command" if value[0] in asked_by(Role.CSMS, central.version):
                central.command(*value)
            case "by hand":
                central.by_hand(value)
            case "disconnect":
                central.disconnect()
            case "fail" if central.pending:
                central.fail(value, "InternalError")
            case "forget" if central.pending:
                central.fail(Outcome.ERROR, "SecurityError")
            case "reply" if is_answer(central.version, *value):
                central.replies = {**central.replies, value[0]: value[1]}
        if central.leaving:
            central.disconnect()

    def connect(self) -> None:
        self.central.asked.append(("connected", {}))
        self.central.connect()


@given(st.integers(0, 2**32), deeds, st.booleans())
@settings(max_examples=150, deadline=None)
def test_whatever_happens_a_station_keeps_its_promises(
    seed: int, happenings: list[tuple[str, Any]], drivers: bool
) -> None:
    """Schema-valid, one CALL at a time (both checked by the driver); and the four promises below."""
    life = Life(seed, drivers=drivers)

    for deed, value in happenings:
        life.live(deed, value)

    check_statuses(life.central.asked)
    check_transactions(life.central)


@given(st.integers(0, 2**32), deeds)
@settings(max_examples=100, deadline=None)
def test_whatever_happens_a_station_says_it_in_the_words_of_1_5(seed: int, happenings: list[tuple[str, Any]]) -> None:
    """As above; that every word is one of 1.5's is the schemas' affair, which the driver asks."""
    life = Life(seed, Version.V1_5)

    for deed, value in happenings:
        life.live(deed, value)

    check_transactions(life.central)


def check_statuses(asked: list[tuple[str, dict[str, Any]]]) -> None:
    """Within a connection, from boot to boot, statuses change as the table allows (or are told again)."""
    last: dict[int, str] = {}
    for action, payload in asked:
        if action in ("connected", "BootNotification"):
            last = {}
        elif action == "StatusNotification":
            connector, status = payload["connectorId"], payload["status"]
            before = last.get(connector, status)
            assert status == before or status in ALLOWED[before], (connector, before, status)
            last[connector] = status


def check_transactions(central: Central) -> None:
    """A connector's next transaction is told after the end of the one before, and its meter never runs back."""
    running: dict[int, Payload] = {}
    starts: dict[int, Payload] = {}
    for index, (action, payload) in enumerate(central.asked):
        starts |= {number: start for at, number, start in central.started if at <= index}
        if action == "StartTransaction":
            connector = payload["connectorId"]
            assert running.get(connector, payload) == payload
            running[connector] = payload
        elif action == "StopTransaction":
            ended = (
                [starts[payload["transactionId"]]] if payload["transactionId"] in starts else _unheard(running, starts)
            )
            assert all(payload["meterStop"] >= start["meterStart"] for start in ended)
            running = {c: start for c, start in running.items() if start not in ended}


def _unheard(running: dict[int, Payload], starts: dict[int, Payload]) -> list[Payload]:
    """The transactions whose start was never answered: their stop names -1."""
    return [start for start in running.values() if start not in starts.values()]


def test_a_full_outbox_drops_the_oldest_meter_values_and_never_a_start_or_a_stop() -> None:
    outbox = Outbox()
    transaction = Transaction(1, "TAG", 0, 0.0)

    outbox.keep("StartTransaction", {}, transaction)
    for n in range(1100):
        outbox.keep("MeterValues", {"n": n}, transaction)
    outbox.keep("StopTransaction", {}, transaction)

    left: list[Message] = []
    while message := outbox.next(0.0, "Accepted"):
        left.append(message)
        outbox.delivered()
    assert [m.action for m in left] == ["StartTransaction", *["MeterValues"] * 998, "StopTransaction"]
    assert left[1].body == {"n": 102}
