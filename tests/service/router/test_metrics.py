"""What is counted, and that no label comes from a peer."""

from csms_platform.envelope import Kind
from csms_platform.metrics import REGISTRY
from tests.service.router.world import ChargingStation, World

STOP = {"transactionId": -1, "meterStop": 1, "timestamp": "2026-01-01T12:00:00Z"}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


class Counters:
    """How much each counter grew since this was made."""

    def __init__(self) -> None:
        self.before = self._read()

    def grown(self) -> dict[tuple[str, ...], float]:
        return {
            key: value - self.before.get(key, 0)
            for key, value in self._read().items()
            if value != self.before.get(key, 0)
        }

    @staticmethod
    def _read() -> dict[tuple[str, ...], float]:
        return {
            (sample.name.removeprefix("csms_router_"), *sample.labels.values()): sample.value
            for family in REGISTRY.collect()
            for sample in family.samples
            if sample.name.startswith("csms_router_") and sample.name.endswith("_total")
        }


async def test_every_call_is_counted_by_version_action_and_outcome(world: World, station: ChargingStation) -> None:
    counters = Counters()

    await world.bus.deliver(
        station.asks("Heartbeat", {}),
        station.asks("Heartbeat", {}),
        station.asks("StatusNotification", STATUS),
        station.asks("StatusNotification", b"[]"),
        station.asks("StopTransaction", STOP, "m-1"),
        station.asks("Heartbeat", {}, deadline=1),
        station.asks("Nonsense", {}),
    )
    await station.call("StopTransaction", STOP, "m-1")

    assert counters.grown() == {
        ("calls_total", "ocpp1.6", "Heartbeat", "answered"): 2,
        ("calls_total", "ocpp1.6", "StatusNotification", "answered"): 1,
        ("calls_total", "ocpp1.6", "StatusNotification", "refused"): 1,
        ("calls_total", "ocpp1.6", "StopTransaction", "answered"): 1,
        ("calls_total", "ocpp1.6", "StopTransaction", "repeated"): 1,
        ("expired_total",): 1,
        ("unknown_calls_total",): 1,
    }


async def test_connections_are_counted_by_outcome(world: World, station: ChargingStation) -> None:
    counters = Counters()

    await ChargingStation(world, gateway="elsewhere").connect()
    await station.connect()
    await station.connect(subprotocol="")
    await station.disconnect()
    await world.bus.deliver(station.asks("", {}, kind=Kind.RESULT))

    assert counters.grown() == {
        ("connects_total", "accepted"): 2,
        ("connects_total", "400"): 1,
        ("evictions_total",): 1,
        ("disconnects_total", "closed"): 1,
        ("unexpected_total",): 1,
    }
