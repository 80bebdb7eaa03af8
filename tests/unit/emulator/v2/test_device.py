"""The device model: what its table says, how it is read and written, from within and by the central system."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms_emulator.v2.device import Device
from csms_emulator.v2.reports import entries
from csms_ocpp.version import Version
from tests.unit.emulator.driving import Payload
from tests.unit.emulator.v2.asking import ISO_NOW, ask, device, named


def read(asked: Device, item: Payload) -> Payload:
    """What GetVariables says of one variable, without its name."""
    (answer,) = ask(asked, "GetVariables", {"getVariableData": [item]})[0]["getVariableResult"]
    return {name: value for name, value in answer.items() if name not in ("component", "variable")}


def write(asked: Device, item: Payload, value: str) -> Payload:
    """What SetVariables says of one variable, without its name."""
    data = {"setVariableData": [{**item, "attributeValue": value}]}
    (answer,) = ask(asked, "SetVariables", data)[0]["setVariableResult"]
    return {name: value for name, value in answer.items() if name not in ("component", "variable")}


def accepted(value: str) -> Payload:
    return {"attributeStatus": "Accepted", "attributeValue": value}


def rejected(reason: str) -> Payload:
    return {"attributeStatus": "Rejected", "attributeStatusInfo": {"reasonCode": reason}}


HEARTBEAT = named("OCPPCommCtrlr", "HeartbeatInterval")


def test_a_factory_value_is_one_that_its_variable_can_hold() -> None:
    factory = [(c.name, v.name, v.value, v.read(v.value)) for c, v in entries(device()) if v.value]

    assert [(component, name, text) for component, name, text, kept in factory if text != kept] == []


@given(st.one_of(st.text(max_size=40), st.from_regex(r"[-+]?[0-9_]{1,400}(\.[0-9]*)?(e[0-9]{1,5})?", fullmatch=True)))
def test_whatever_is_written_is_kept_in_a_form_that_stays_or_is_a_value_error(text: str) -> None:
    for _, variable in entries(device(evses=1)):
        try:
            kept = variable.read(text)
        except ValueError:
            continue
        assert variable.read(kept) == kept


def test_every_evse_and_connector_has_values_of_its_own() -> None:
    station = device(evses=2)

    station.set("EVSE", "AvailabilityState", "Occupied", evse=2)
    station.set("Connector", "AvailabilityState", "Faulted", evse=1, connector=1)

    assert [station.get("EVSE", "AvailabilityState", evse=n) for n in (1, 2)] == ["Available", "Occupied"]
    states = [station.get("Connector", "AvailabilityState", evse=n, connector=1) for n in (1, 2)]
    assert states == ["Faulted", "Available"]


def test_two_stations_share_no_values() -> None:
    one, other = device(), device()

    one.set("OCPPCommCtrlr", "HeartbeatInterval", "7")

    assert (one.number("OCPPCommCtrlr", "HeartbeatInterval"), other.number("OCPPCommCtrlr", "HeartbeatInterval")) == (
        7,
        300,
    )


def test_from_within_a_variable_that_is_not_in_the_table_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        device().get("OCPPCommCtrlr", "HartbeatInterval")
    with pytest.raises(KeyError):
        device(evses=2).set("EVSE", "Available", "false", evse=3)


def test_a_flag_and_an_instance_are_read_from_within() -> None:
    station = device()

    assert station.flag("AuthCtrlr", "LocalAuthorizeOffline") is True
    assert station.number("OCPPCommCtrlr", "MessageAttempts", instance="TransactionEvent") == 3


@pytest.mark.parametrize("version", [Version.V2_0_1, Version.V2_1])
def test_names_are_found_whatever_their_case_and_answered_as_they_were_asked(version: Version) -> None:
    item = named("ocppcommCTRLR", "HEARTBEATinterval")

    answer, calls = ask(device(version), "GetVariables", {"getVariableData": [item]})

    assert answer == {"getVariableResult": [{**item, **accepted("300")}]}
    assert calls == []


@pytest.mark.parametrize(
    ("item", "status"),
    [
        (named("NoSuchCtrlr", "HeartbeatInterval"), "UnknownComponent"),
        (named("EVSE", "Available"), "UnknownComponent"),
        (named("EVSE", "Available", id=9), "UnknownComponent"),
        (named("OCPPCommCtrlr", "NoSuchVariable"), "UnknownVariable"),
        (named("OCPPCommCtrlr", "MessageAttempts"), "UnknownVariable"),
        ({**HEARTBEAT, "attributeType": "Target"}, "NotSupportedAttributeType"),
    ],
)
def test_what_a_station_does_not_have_it_says_so(item: Payload, status: str) -> None:
    assert read(device(), item)["attributeStatus"] == status
    assert write(device(), item, "1")["attributeStatus"] == status


def test_a_password_can_be_written_and_never_read() -> None:
    station, password = device(), named("SecurityCtrlr", "BasicAuthPassword")

    assert write(station, password, "0123456789abcdef") == {"attributeStatus": "Accepted"}
    assert station.get("SecurityCtrlr", "BasicAuthPassword") == "0123456789abcdef"
    assert read(station, password) == rejected("WriteOnly")


def test_what_was_set_is_read_back() -> None:
    station = device()

    assert write(station, HEARTBEAT, "60") == {"attributeStatus": "Accepted"}
    assert read(station, HEARTBEAT) == accepted("60")
    assert station.number("OCPPCommCtrlr", "HeartbeatInterval") == 60


@pytest.mark.parametrize(
    ("item", "value"),
    [
        (HEARTBEAT, "0"),
        (HEARTBEAT, "86401"),
        (HEARTBEAT, "1.5"),
        (HEARTBEAT, "soon"),
        (HEARTBEAT, "9" * 900),
        (named("TxCtrlr", "StopTxOnInvalidId"), "maybe"),
        (named("SmartChargingCtrlr", "LimitChangeSignificance"), "nan"),
        (named("SmartChargingCtrlr", "LimitChangeSignificance"), "inf"),
        (named("ClockCtrlr", "NtpSource"), "guess"),
        (named("ClockCtrlr", "NextTimeOffsetTransitionDateTime"), "tomorrow"),
        (named("TxCtrlr", "TxStartPoint"), "EVConnected,EVConnected"),
        (named("TxCtrlr", "TxStartPoint"), "EVConnected,Noon"),
        (named("AuthCtrlr", "MasterPassGroupId"), "x" * 37),
        (named("SecurityCtrlr", "BasicAuthPassword"), "short"),
    ],
)
def test_a_value_that_a_variable_cannot_hold_is_rejected_and_changes_nothing(item: Payload, value: str) -> None:
    station = device()
    component, variable = item["component"]["name"], item["variable"]["name"]
    before = station.get(component, variable)

    assert write(station, item, value) == rejected("InvalidValue")
    assert station.get(component, variable) == before


def test_values_are_kept_in_their_plainest_form() -> None:
    station = device()

    write(station, named("TxCtrlr", "StopTxOnInvalidId"), "FALSE")
    write(station, named("TxCtrlr", "TxStartPoint"), "EVConnected, Authorized")
    write(station, HEARTBEAT, "+060")

    assert station.flag("TxCtrlr", "StopTxOnInvalidId") is False
    assert station.get("TxCtrlr", "TxStartPoint") == "EVConnected,Authorized"
    assert station.get("OCPPCommCtrlr", "HeartbeatInterval") == "60"


def test_what_is_read_only_is_not_written() -> None:
    assert write(device(), named("ChargingStation", "Model"), "Other") == rejected("ReadOnly")
    limit = {**named("EVSE", "Power", id=1), "attributeType": "MaxSet"}
    assert write(device(), limit, "1") == {**rejected("ReadOnly"), "attributeType": "MaxSet"}


def test_a_limit_of_an_evse_is_read_by_its_attribute_type() -> None:
    limit = {**named("EVSE", "Power", id=1), "attributeType": "MaxSet"}

    assert read(device(), limit) == {**accepted("22080.0"), "attributeType": "MaxSet"}


def test_a_change_that_needs_a_reboot_says_so() -> None:
    priority = named("OCPPCommCtrlr", "NetworkConfigurationPriority")

    assert write(device(), priority, "2,1") == {"attributeStatus": "RebootRequired"}


def test_the_clock_tells_the_time_of_the_question() -> None:
    assert read(device(), named("ClockCtrlr", "DateTime")) == accepted(ISO_NOW)


def test_the_items_beyond_the_limit_are_rejected_and_the_others_served() -> None:
    items = [HEARTBEAT] * 51

    got = ask(device(), "GetVariables", {"getVariableData": items})[0]["getVariableResult"]
    data = [{**item, "attributeValue": "9"} for item in items]
    done = ask(device(), "SetVariables", {"setVariableData": data})[0]["setVariableResult"]

    assert got == [{**HEARTBEAT, **accepted("300")}] * 50 + [{**HEARTBEAT, **rejected("TooManyElements")}]
    assert done == [{**HEARTBEAT, "attributeStatus": "Accepted"}] * 50 + [{**HEARTBEAT, **rejected("TooManyElements")}]
