"""Gateway, two routers, a relay and its operator on one broker: a station that the operator serves charges."""

import time
from typing import Any

import msgspec
from msgspec.structs import replace

from csms_ocpp.version import StationId
from csms_platform.envelope import Capsule, Envelope, Kind
from csms_platform.ports import ROUTER, WEBHOOK, Bus, address_of
from tests.service.router.commanding import Gateway, Scene, eventually
from tests.service.router.webhook import BOOT, BOOT_ACCEPTED, SERVED, START, STATUS, STOP, error, result

ANSWERS: dict[str, Any] = {
    "BootNotification": BOOT_ACCEPTED,
    "StartTransaction": {"transactionId": 77, "idTagInfo": {"status": "Accepted"}},
    "StatusNotification": {},
}


class Relay:
    """Answers by `ANSWERS`, and with an error what is not there; what must be settled goes to the router."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.asked: list[str] = []

    async def hear(self, batch: list[Envelope]) -> None:
        for call in batch:
            self.asked.append(call.action)
            known = call.action in ANSWERS
            reply = result(call, ANSWERS[call.action]) if known else error(call, "InternalError")
            self._bus.send(ROUTER if call.settle else address_of(call.reply_to), reply)


class Station:
    """Asks one thing after the other, with the newest capsule."""

    def __init__(self, gateway: Gateway, capsule: Capsule | None) -> None:
        self._gateway = gateway
        self._capsule = capsule

    async def call(self, action: str, payload: dict[str, Any], unique_id: str) -> dict[str, Any]:
        """The payload of the CALLRESULT."""
        before = len(self._gateway.others)
        deadline = int(time.time() * 1000) + 10_000
        self._gateway.says(
            Kind.CALL,
            "CS-1",
            payload,
            version="ocpp1.6",
            unique_id=unique_id,
            action=action,
            session=self._capsule,
            deadline=deadline,
        )
        await eventually(lambda: len(self._gateway.others) > before)
        (answer,) = self._gateway.others[before:]
        assert (answer.kind, answer.unique_id) == (Kind.RESULT, unique_id)
        self._capsule = answer.session
        found: dict[str, Any] = msgspec.json.decode(answer.payload)
        return found


async def test_the_operator_registers_a_station_and_charges_at_it(scene: Scene) -> None:
    for _ in range(2):
        await scene.router(replace(SERVED, sweep_interval=0.05))
    doors = await scene.broker.connect()
    relay = Relay(doors.bus)
    await doors.bus.subscribe(WEBHOOK, relay.hear)
    gateway = await scene.gateway()
    station = Station(gateway, (await gateway.connects("CS-1")).session)

    answers = [
        await station.call("BootNotification", BOOT, "1"),
        await station.call("StatusNotification", STATUS, "2"),
        await station.call("StartTransaction", START, "3"),
        await station.call("StartTransaction", START, "3"),
        await station.call("StopTransaction", STOP, "4"),
    ]

    started = ANSWERS["StartTransaction"]
    stored = await scene.stores.transactions.get(StationId("CS-1"), "77")
    assert answers == [BOOT_ACCEPTED, {}, started, started, {}]
    assert relay.asked == ["BootNotification", "StatusNotification", "StartTransaction", "StopTransaction"]
    assert stored is not None
    assert (stored.tag, stored.meter_start, stored.meter_stop) == ("A1", 100, 350)
    await doors.bus.unsubscribe(WEBHOOK)
