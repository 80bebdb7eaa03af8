"""What a station tells about itself is remembered, together for a batch, before it is answered."""

from collections.abc import Sequence
from typing import Any

import pytest

from csms_platform.envelope import Kind
from csms_platform.ports import Note
from tests.service.router.world import ChargingStation, World, open_world

STATUS = {"connectorId": 2, "errorCode": "NoError", "status": "Charging"}
METER = {"connectorId": 2, "meterValue": [{"timestamp": "2026-01-01T12:00:00Z", "sampledValue": [{"value": "1"}]}]}
V2_TIME = "2026-01-01T12:00:00Z"
STATUS_V2 = {"timestamp": V2_TIME, "connectorStatus": "Occupied", "evseId": 3, "connectorId": 1}
METER_V2 = {"evseId": 3, "meterValue": [{"timestamp": V2_TIME, "sampledValue": [{"value": 1.0}]}]}


@pytest.mark.parametrize(
    ("version", "action", "payload", "about"),
    [
        ("ocpp1.6", "StatusNotification", STATUS, "status/2"),
        ("ocpp1.6", "MeterValues", METER, "meter/2"),
        ("ocpp1.6", "FirmwareStatusNotification", {"status": "Installed"}, "firmware"),
        ("ocpp1.6", "SignedFirmwareStatusNotification", {"status": "Installed", "requestId": 1}, "firmware"),
        ("ocpp1.6", "DiagnosticsStatusNotification", {"status": "Uploaded"}, "diagnostics"),
        ("ocpp1.6", "LogStatusNotification", {"status": "Uploaded", "requestId": 1}, "log"),
        ("ocpp1.6", "SecurityEventNotification", {"type": "Tamper", "timestamp": V2_TIME}, "security"),
        ("ocpp2.0.1", "StatusNotification", STATUS_V2, "status/3/1"),
        ("ocpp2.0.1", "MeterValues", METER_V2, "meter/3"),
        ("ocpp2.1", "FirmwareStatusNotification", {"status": "Installed"}, "firmware"),
        (
            "ocpp2.1",
            "ReservationStatusUpdate",
            {"reservationId": 1, "reservationUpdateStatus": "Expired"},
            "reservation",
        ),
    ],
)
async def test_the_last_word_about_each_thing_is_remembered(
    world: World, version: str, action: str, payload: dict[str, Any], about: str
) -> None:
    answer = await ChargingStation(world, version=version).call(action, payload)

    assert answer == {}
    assert await world.note_of("CS-1", about) == payload


@pytest.mark.parametrize("connector", [-1, 1000, 2**31])
async def test_a_connector_that_no_station_has_is_answered_and_not_remembered(
    world: World, station: ChargingStation, connector: int
) -> None:
    answer = await station.call("StatusNotification", STATUS | {"connectorId": connector})

    assert answer == {}
    assert await world.note_of("CS-1", f"status/{connector}") is None


class CountingStations:
    """`Stations` of which only `note` is there, and what the bus had sent by then."""

    def __init__(self) -> None:
        self.noted: list[list[tuple[str, str]]] = []
        self.sent_before: list[int] = []
        self.world: World | None = None

    async def note(self, notes: Sequence[Note]) -> None:
        assert self.world is not None
        self.noted.append([(note.identity, note.field) for note in notes])
        self.sent_before.append(len(self.world.bus.sent))


async def test_the_facts_of_a_batch_are_written_once_before_the_answers_that_promise_them() -> None:
    stations: Any = CountingStations()
    async with open_world(stations=stations) as world:
        stations.world = world
        one, two = ChargingStation(world), ChargingStation(world, "CS-2")

        replies = await world.bus.deliver(
            one.asks("StatusNotification", STATUS),
            two.asks("Heartbeat", {}),
            two.asks("MeterValues", METER),
            one.asks("MeterValues", METER),
        )

    assert stations.noted == [[("CS-1", "status/2"), ("CS-2", "meter/2"), ("CS-1", "meter/2")]]
    assert stations.sent_before == [1]
    assert [(reply.kind, reply.action) for reply in replies] == [
        (Kind.RESULT, "Heartbeat"),
        (Kind.RESULT, "StatusNotification"),
        (Kind.RESULT, "MeterValues"),
        (Kind.RESULT, "MeterValues"),
    ]


async def test_answers_go_to_the_gateway_that_asked(world: World) -> None:
    east, west = ChargingStation(world, "CS-1", gateway="east"), ChargingStation(world, "CS-2", gateway="west")

    await world.bus.deliver(east.asks("Heartbeat", {}), west.asks("StatusNotification", STATUS))

    assert [(address.name, address.shared, one.identity) for address, one in world.bus.sent] == [
        ("ocpp.gateway.east", False, "CS-1"),
        ("ocpp.gateway.west", False, "CS-2"),
    ]


async def test_what_nobody_waits_for_any_more_is_dropped(world: World, station: ChargingStation) -> None:
    late = station.asks("StatusNotification", STATUS, deadline=int(world.clock.now * 1000))

    replies = await world.bus.deliver(late, station.asks("Heartbeat", {}, deadline=0))

    assert [reply.action for reply in replies] == ["Heartbeat"]
    assert await world.note_of("CS-1", "status/2") is None
