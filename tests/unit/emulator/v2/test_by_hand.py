"""A 2.x station operated by hand, without drivers of its own."""

from typing import Any

import pytest

from csms_emulator.charging import Outlet
from csms_emulator.deeds import Clear, Deed, Depart, Fault, Park, Plug, PowerCycle, Swipe, Unplug
from csms_emulator.v2.by_hand import presented
from csms_emulator.view import ConnectorView
from csms_ocpp.version import Version
from tests.unit.emulator.driving import Payload
from tests.unit.emulator.v2.driving import ACCEPTED, OTHER, REJECTED, TOKEN, Central, booted

PARK, DEPART = Park(1), Depart(1)
PLUG, UNPLUG = Plug(1), Unplug(1)
SWIPE, OTHER_CARD = Swipe(1, "TAG"), Swipe(1, "OTHER")
FAULT, CLEAR = Fault(1, "GroundFailure"), Clear(1)
REMOTE_START = {"evseId": 1, "idToken": TOKEN, "remoteStartId": 7}


def quiet(**options: Any) -> Central:
    return booted(drivers=False, **options)


def reasons(central: Central) -> list[str]:
    told = [p["transactionInfo"] for p in central.payloads("TransactionEvent")]
    return [info["stoppedReason"] for info in told if "stoppedReason" in info]


def refusals(central: Central) -> list[str]:
    return [entry.fields["reason"] for entry in central.logged if entry.event == "refused"]


def impossible(central: Central) -> list[str]:
    return [entry.fields["deed"] for entry in central.logged if entry.event == "impossible"]


def problems(central: Central) -> list[tuple[str, bool]]:
    events = [event for payload in central.payloads("NotifyEvent") for event in payload["eventData"]]
    return [(event["actualValue"], event["cleared"]) for event in events]


def seen(central: Central) -> ConnectorView:
    return central.station.view(central.now).connector(1)


def test_nobody_comes_by_himself() -> None:
    central = quiet()

    central.run(86_400)

    assert {action for action, _ in central.asked} == {"Heartbeat"}


@pytest.mark.parametrize("version", [Version.V2_0_1, Version.V2_1])
def test_cable_card_card_cable(version: Version) -> None:
    central = quiet(version=version)

    for deed in (PLUG, SWIPE, SWIPE, UNPLUG):
        central.by_hand(deed)
        central.run(10)

    assert central.payloads("Authorize") == [{"idToken": TOKEN}]
    assert central.events() == [
        ("Started", "Authorized"),
        ("Updated", "ChargingStateChanged"),
        ("Ended", "StopAuthorized"),
    ]
    assert (reasons(central), central.statuses()) == (["Local"], ["Occupied", "Available"])


def test_the_card_may_come_before_the_cable() -> None:
    central = quiet()

    central.by_hand(SWIPE)
    central.run(30)
    before = central.events()
    central.by_hand(PLUG)

    started = central.payloads("TransactionEvent")[0]
    assert before == []
    assert (started["triggerReason"], started["idToken"]) == ("CablePluggedIn", TOKEN)
    assert (seen(central).state, central.statuses()) == ("Charging", ["Occupied"])


def test_a_card_without_a_cable_is_forgotten_after_the_connection_timeout() -> None:
    central = quiet()
    central.variable("TxCtrlr", "EVConnectionTimeOut", "20")

    central.by_hand(SWIPE)
    central.run(21)
    central.by_hand(PLUG)

    assert central.events() == []
    assert central.statuses() == ["Occupied", "Available", "Occupied"]


def test_drivers_who_come_by_themselves_may_show_the_card_first_and_forget_to_plug_in() -> None:
    central = booted(seed=2, connectors=4, pace=30)

    central.run(3600)

    forgotten = [entry for entry in central.logged if entry.event == "not plugged in"]
    started = [p for p in central.payloads("TransactionEvent") if p["eventType"] == "Started"]
    assert len(forgotten) > 1
    assert "CablePluggedIn" in {p["triggerReason"] for p in started}
    assert len(central.payloads("Authorize")) == len(started) + len(forgotten)


def test_a_remote_start_waits_for_the_cable() -> None:
    central = quiet()

    answers = [central.command("RequestStartTransaction", REMOTE_START) for _ in range(2)]
    central.run(30)
    central.by_hand(PLUG)

    started = central.payloads("TransactionEvent")[0]
    assert answers == [ACCEPTED, REJECTED]
    assert (started["idToken"], started["transactionInfo"]["remoteStartId"]) == (TOKEN, 7)
    assert seen(central).state == "Charging"


def test_a_remote_start_nobody_plugs_in_for_is_over_after_the_connection_timeout() -> None:
    central = quiet()

    central.command("RequestStartTransaction", REMOTE_START)
    central.run(61)
    answer = central.command("RequestStartTransaction", REMOTE_START)

    assert (answer, central.events()) == (ACCEPTED, [])


def test_a_remote_start_may_come_after_the_cable() -> None:
    central = quiet()

    central.by_hand(PLUG)
    central.command("RequestStartTransaction", REMOTE_START)
    central.settle()

    assert central.events() == [("Started", "RemoteStart"), ("Updated", "ChargingStateChanged")]


def test_what_the_card_is_goes_with_it() -> None:
    central = quiet()

    central.by_hand(PLUG, Swipe(1, "1234", kind="KeyCode"))

    assert central.payloads("Authorize") == [{"idToken": {"idToken": "1234", "type": "KeyCode"}}]


@pytest.mark.parametrize(
    ("vehicle", "version", "kind"),
    [
        ("00:7D:FA:00:00:01", Version.V2_1, "MacAddress"),
        ("007dfa000001", Version.V2_0_1, "MacAddress"),
        ("DE-ABC-C12345678-X", Version.V2_1, "eMAID"),
        ("DEABCC12345678X", Version.V2_0_1, "eMAID"),
        ("NLTNMC01234567", Version.V2_1, "eMAID"),
        ("WMIV1234567890ABCDEX", Version.V2_1, "EVCCID"),
        ("WMIV1234567890ABCDEX", Version.V2_0_1, "MacAddress"),
    ],
)
def test_a_car_presents_itself(vehicle: str, version: Version, kind: str) -> None:
    central = quiet(version=version)

    central.by_hand(Plug(1, vehicle))

    assert presented(vehicle, version) == {"idToken": vehicle, "type": kind}
    assert central.payloads("TransactionEvent")[0]["idToken"] == {"idToken": vehicle, "type": kind}


def test_a_refused_card_leaves_the_cable_in_and_another_may_be_presented() -> None:
    central = quiet()
    central.replies["Authorize"] = {"idTokenInfo": {"status": "Blocked"}}
    central.by_hand(PLUG, SWIPE)
    central.run(600)
    del central.replies["Authorize"]

    central.by_hand(OTHER_CARD)

    assert (refusals(central), central.statuses()) == (["Blocked"], ["Occupied"])
    assert central.payloads("TransactionEvent")[0]["idToken"] == OTHER


def test_another_card_stops_nothing() -> None:
    central = quiet()

    central.by_hand(PLUG, SWIPE, OTHER_CARD)

    assert (reasons(central), refusals(central)) == ([], ["another driver charges"])


def test_pulling_the_cable_ends_the_transaction() -> None:
    central = quiet()

    central.by_hand(PLUG, SWIPE, UNPLUG)

    assert central.events()[-1] == ("Ended", "EVCommunicationLost")
    assert (reasons(central), central.statuses()) == (["EVDisconnected"], ["Occupied", "Available"])


def test_the_next_card_may_charge_the_same_car() -> None:
    central = quiet()

    central.by_hand(PLUG, SWIPE, SWIPE, OTHER_CARD)

    told = [p["idToken"] for p in central.payloads("TransactionEvent") if p["eventType"] == "Started"]
    assert (told, central.statuses()) == ([TOKEN, OTHER], ["Occupied"])


def test_a_fault_ends_the_transaction_and_lasts_until_it_is_mended() -> None:
    central = quiet()

    central.by_hand(PLUG, SWIPE, FAULT, SWIPE)
    broken = seen(central)
    central.by_hand(CLEAR, UNPLUG)

    assert (broken.status, broken.error) == ("Faulted", "GroundFailure")
    assert (central.events()[-1], reasons(central)) == (("Ended", "AbnormalCondition"), ["GroundFault"])
    assert central.statuses() == ["Occupied", "Faulted", "Occupied", "Available"]
    assert (problems(central), impossible(central)) == ([("true", False), ("false", True)], ["swipe"])


def test_the_device_model_knows_what_is_wrong() -> None:
    central = quiet(connectors=2)
    device = central.station.device

    central.by_hand(FAULT)
    broken = [device.get(name, "Problem", evse=1, connector=at) for name, at in (("EVSE", None), ("Connector", 1))]
    states = [device.get("EVSE", "AvailabilityState", evse=n) for n in (1, 2)]
    central.by_hand(CLEAR)

    assert (broken, states) == (["true", "true"], ["Faulted", "Available"])
    assert device.get("Connector", "Problem", evse=1, connector=1) == "false"
    assert device.get("ChargingStation", "Problem") == "false"


def test_a_fault_that_came_while_offline_is_told_when_the_central_system_listens() -> None:
    central = quiet()
    central.disconnect()
    central.by_hand(FAULT)

    central.connect()
    central.settle()

    assert (central.statuses(), problems(central)) == (["Faulted"], [("true", False)])


def test_a_broken_evse_serves_nobody_even_after_a_reset() -> None:
    central = quiet()
    central.by_hand(FAULT)
    central.command("Reset", {"type": "Immediate"})
    central.disconnect()
    central.connect()
    central.settle()

    start = central.command("RequestStartTransaction", REMOTE_START)
    reserve = {"id": 7, "expiryDateTime": "2030-01-01T00:00:00Z", "idToken": TOKEN, "evseId": 1}
    kept = central.command("ReserveNow", reserve)

    assert (start, kept, central.statuses()[-1]) == (REJECTED, {"status": "Faulted"}, "Faulted")


def test_drivers_come_again_when_a_fault_is_mended() -> None:
    central = booted()
    central.by_hand(FAULT)
    central.run(3600)

    central.by_hand(CLEAR)
    central.run(600)

    assert central.statuses()[:3] == ["Faulted", "Available", "Occupied"]


def test_a_power_cycle_ends_the_transaction_for_power_loss() -> None:
    central = quiet()
    central.by_hand(PLUG, SWIPE, PowerCycle())

    central.disconnect()
    central.connect()
    central.settle()

    assert reasons(central) == ["PowerLoss"]


def test_a_reservation_keeps_the_evse_for_its_driver() -> None:
    central = quiet()
    reserve = {"id": 7, "expiryDateTime": "2030-01-01T00:00:00Z", "idToken": TOKEN, "evseId": 1}
    central.command("ReserveNow", reserve)

    central.by_hand(PLUG, OTHER_CARD, SWIPE)

    assert refusals(central) == ["reserved for another driver"]
    assert central.payloads("TransactionEvent")[0]["reservationId"] == 7


def test_a_reservation_serves_whoever_is_of_its_group() -> None:
    central = quiet()
    group = {"idToken": "FAMILY", "type": "Central"}
    reserve = {"id": 7, "expiryDateTime": "2030-01-01T00:00:00Z", "idToken": TOKEN, "groupIdToken": group}
    central.command("ReserveNow", reserve)
    central.replies["Authorize"] = {"idTokenInfo": {"status": "Accepted", "groupIdToken": group}}

    central.by_hand(OTHER_CARD, PLUG)

    assert central.payloads("TransactionEvent")[0]["reservationId"] == 7


def test_a_remote_start_for_the_group_uses_its_reservation() -> None:
    central = quiet()
    group = {"idToken": "FAMILY", "type": "Central"}
    reserve = {"id": 7, "expiryDateTime": "2030-01-01T00:00:00Z", "idToken": OTHER, "groupIdToken": group}
    central.command("ReserveNow", reserve)

    answer = central.command("RequestStartTransaction", {**REMOTE_START, "groupIdToken": group})
    central.by_hand(PLUG)

    assert (answer, central.payloads("TransactionEvent")[0]["reservationId"]) == (ACCEPTED, 7)


def test_what_is_seen_of_an_evse() -> None:
    central = quiet()
    central.by_hand(PARK)
    parked = seen(central)
    central.by_hand(PLUG, SWIPE)
    central.run(120)

    charging = seen(central)

    meter = int(central.station.evses[1].register)
    assert parked == ConnectorView(number=1, status="Available", parked=True, meter=parked.meter)
    assert charging == ConnectorView(
        number=1,
        status="Occupied",
        state="Charging",
        parked=True,
        plugged=True,
        transaction=central.uuid(),
        id_tag="TAG",
        meter=meter,
        power=charging.power,
        soc=charging.soc,
    )
    assert charging.power > 1000
    assert meter > parked.meter


@pytest.mark.parametrize(
    "deeds",
    [
        (UNPLUG,),
        (CLEAR,),
        (DEPART,),
        (PARK, PARK),
        (PLUG, PLUG),
        (SWIPE, SWIPE),
        (FAULT, PLUG),
        (FAULT, SWIPE),
        (PLUG, DEPART, UNPLUG),
    ],
)
def test_what_cannot_be_done_changes_nothing_but_the_log(deeds: tuple[Deed, ...]) -> None:
    central = quiet()
    *before, last = deeds
    central.by_hand(*before)
    central.take()

    central.by_hand(last)

    assert central.take() == []
    assert impossible(central) == [type(last).__name__.lower()]


def test_an_evse_out_of_service_takes_no_cable_and_no_card() -> None:
    central = quiet()
    central.command("ChangeAvailability", {"operationalStatus": "Inoperative"})

    central.by_hand(PLUG, SWIPE)

    assert (impossible(central), central.statuses()) == (["plug", "swipe"], ["Unavailable"])


@pytest.mark.parametrize(
    ("deed", "version", "sentence"),
    [
        (Plug(9), Version.V2_1, r"There is no connector 9\."),
        (Fault(1, "Smoke"), Version.V2_1, "'Smoke' is no errorCode"),
        (Swipe(1, ""), Version.V2_1, "An idToken of type ISO14443 is not empty"),
        (Swipe(1, "T" * 37), Version.V2_0_1, "An idToken has at most 36 characters"),
        (Swipe(1, "T" * 256), Version.V2_1, "An idToken has at most 255 characters"),
        (Plug(1, "T" * 37), Version.V2_0_1, "An idToken has at most 36 characters"),
        (Swipe(1, "TAG", kind="Stone"), Version.V2_0_1, "'Stone' is no IdTokenEnumType of OCPP 2.0.1"),
        (Swipe(1, "TAG", kind="S" * 21), Version.V2_1, "The type of an idToken has 1 to 20 characters"),
    ],
)
def test_what_can_never_be_done_is_a_mistake(deed: Deed, version: Version, sentence: str) -> None:
    station = quiet(version=version).station

    with pytest.raises(ValueError, match=sentence):
        station.by_hand(deed, 100.0)


@pytest.mark.parametrize(
    ("deed", "id_token"),
    [
        (Swipe(1, "T" * 255, kind="Stone"), {"idToken": "T" * 255, "type": "Stone"}),
        (Swipe(1, "", kind="NoAuthorization"), {"idToken": "", "type": "NoAuthorization"}),
    ],
)
def test_2_1_knows_longer_tokens_and_any_type(deed: Deed, id_token: Payload) -> None:
    central = quiet()

    central.by_hand(PLUG, deed)

    assert central.payloads("Authorize") == [{"idToken": id_token}]


@pytest.mark.parametrize("version", [Version.V2_0_1, Version.V2_1])
def test_a_car_at_a_direct_current_outlet_charges_as_such_cars_do(version: Version) -> None:
    central = quiet(version=version, connectors=2, outlets=[Outlet("DC", 150_000.0), Outlet("AC1", 3_680.0)])
    central.variable("SampledDataCtrlr", "TxUpdatedMeasurands", "Power.Active.Import,Voltage")

    for number in (1, 2):
        central.by_hand(Plug(number), Swipe(number, "TAG"))
    central.run(61)

    periodic = [p for p in central.payloads("TransactionEvent") if p["triggerReason"] == "MeterValuePeriodic"]
    samples = [p["meterValue"][0]["sampledValue"] for p in periodic]
    powers = [value["value"] for sample in samples for value in sample if value["measurand"] == "Power.Active.Import"]
    voltages = [value["value"] for sample in samples for value in sample if value["measurand"] == "Voltage"]
    assert powers[0] > 40_000
    assert 0 < powers[1] <= 3_680
    assert 340 <= voltages[0] <= 400
    assert [round(v, -1) for v in voltages[1:]] == [230]


def test_the_device_model_knows_how_the_evses_are_made() -> None:
    device = quiet(connectors=3, outlets=[Outlet("DC", 150_000.0), Outlet("AC1", 3_680.0)]).station.device

    found = [
        (
            device.get("Connector", "ConnectorType", evse=n, connector=1),
            device.get("Connector", "SupplyPhases", evse=n, connector=1),
            device.get("EVSE", "SupplyPhases", evse=n),
            device.components["evse", "", n, 0].variables["power", ""].max,
        )
        for n in (1, 2, 3)
    ]

    assert found == [
        ("cCCS2", "0", "0", 150_000.0),
        ("cType2", "1", "1", 3_680.0),
        ("cType2", "3", "3", 22_080.0),
    ]


def test_the_device_model_knows_the_power_that_flows() -> None:
    central = quiet()
    device = central.station.device
    central.by_hand(PLUG, SWIPE)
    central.run(120)

    flowing = float(device.get("EVSE", "Power", evse=1))
    central.by_hand(SWIPE)

    assert flowing > 1000
    assert device.get("EVSE", "Power", evse=1) == "0.0"


def test_the_station_is_as_available_as_its_best_evse() -> None:
    central = quiet(connectors=2)

    def state() -> str:
        return central.station.device.get("ChargingStation", "AvailabilityState")

    seen_states = []
    for deed in (Plug(1), Plug(2), Fault(1), Fault(2), Clear(2)):
        central.by_hand(deed)
        seen_states.append(state())

    assert seen_states == ["Available", "Occupied", "Occupied", "Faulted", "Occupied"]
