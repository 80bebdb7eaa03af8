"""A 2.x station gets a file's variables as a central system would set them, and tells what it does not take."""

from random import Random

import msgspec
import pytest

from csms_emulator.actions import Action, Answer, Payload, Refuse
from csms_emulator.files.specification import Key
from csms_emulator.files.variables import set_variables
from csms_emulator.files.wrapper import Wrapper
from csms_emulator.v2.station import Station
from csms_ocpp import schemas
from csms_ocpp.session import CallReceived
from csms_ocpp.version import Version
from tests.unit.emulator.driving import EPOCH


class Settable(Wrapper):
    """Answers SetVariables with `statuses`, one after the other, and keeps what it was asked to set."""

    def __init__(self, *statuses: str) -> None:
        super().__init__(Station("SN", random=Random(1), epoch=EPOCH))
        self.statuses = [*statuses]
        self.wanted: list[tuple[str, str, str]] = []

    def command(self, call: CallReceived, now: float) -> list[Action]:
        table = schemas.table(Version.V2_0_1)
        assert table[call.action, schemas.REQUEST].check(call.payload) is None
        ((one,),) = (msgspec.json.decode(call.payload)["setVariableData"],)
        self.wanted.append((one["component"]["name"], one["variable"]["name"], one["attributeValue"]))
        status = self.statuses.pop(0)
        if not status:
            return [Refuse(call.unique_id, "NotSupported", "")]
        result: Payload = {"attributeStatus": status, "component": one["component"], "variable": one["variable"]}
        return [Answer(call.unique_id, {"setVariableResult": [result]})]


def test_variables_are_named_in_full_or_by_the_key_that_they_were_in_1_6() -> None:
    station = Settable("Accepted", "RebootRequired")

    left = set_variables(station, (Key("HeartbeatInterval", "77"), Key("TxCtrlr.EVConnectionTimeOut", "60")), 0.0)

    assert left == []
    assert station.wanted == [("OCPPCommCtrlr", "HeartbeatInterval", "77"), ("TxCtrlr", "EVConnectionTimeOut", "60")]


@pytest.mark.parametrize("status", ["Rejected", "UnknownComponent", "UnknownVariable", ""])
def test_what_the_station_does_not_take_is_told(status: str) -> None:
    assert set_variables(Settable(status), (Key("HeartbeatInterval", "-1"),), 0.0) == ["HeartbeatInterval"]


def test_a_name_that_is_no_variable_is_not_even_asked_for() -> None:
    station = Settable()

    assert set_variables(station, (Key("Colour", "red"),), 0.0) == ["Colour"]
    assert station.wanted == []
