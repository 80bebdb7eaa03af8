"""What the adapters of the broker and of the store measure of themselves."""

from collections.abc import Callable

import pytest

from csms_platform.bus import BusSettings, open_doors
from csms_platform.metrics import REGISTRY
from csms_platform.ports import ROUTER, Unavailable
from csms_platform.state.redis_link import Link
from tests.contract.test_bus import Inbox, call
from tests.support.ports import free_port


def growth(*names: str, **labels: str) -> Callable[[], list[float]]:
    """How much these have grown since."""

    def values() -> list[float]:
        return [REGISTRY.get_sample_value(name, labels) or 0.0 for name in names]

    before = values()
    return lambda: [now - then for now, then in zip(values(), before, strict=True)]


async def test_a_batch_is_measured_from_its_publishing_to_the_confirm_and_to_its_arrival(fresh_amqp_url: str) -> None:
    inbox, batches = Inbox(), "csms_bus_batch_envelopes"
    names = (f"{batches}_count", f"{batches}_sum", "csms_bus_confirm_seconds_count", "csms_bus_transit_seconds_count")
    grown = growth(*names, address="ocpp.router")
    async with open_doors(BusSettings(url=fresh_amqp_url)) as doors:
        await doors.bus.subscribe(ROUTER, inbox)
        for number in range(3):
            doors.bus.send(ROUTER, call(number))
        await inbox.wait_for(3)
        await doors.bus.flush()

    assert grown() == [1, 3, 1, 1]


async def test_a_batch_of_commands_is_measured(fresh_redis_url: str) -> None:
    grown = growth("csms_redis_seconds_count", "csms_redis_batch_commands_sum")
    link = Link(fresh_redis_url)
    asked = [link.execute("PING") for _ in range(3)]
    for each in asked:
        await each
    await link.close()

    assert grown() == [1, 3]
    assert REGISTRY.get_sample_value("csms_redis_up") == 1


async def test_a_store_that_is_away_shows_until_it_is_back(fresh_redis_url: str) -> None:
    grown = growth("csms_redis_errors_total", reason="unreachable")
    away, back = Link(f"redis://127.0.0.1:{free_port()}"), Link(fresh_redis_url)
    with pytest.raises(Unavailable):
        await away.execute("PING")
    missing = REGISTRY.get_sample_value("csms_redis_up")
    await back.execute("PING")
    await away.close()
    await back.close()

    assert (grown(), missing, REGISTRY.get_sample_value("csms_redis_up")) == ([1], 0, 1)
