"""What only RabbitMQ can do to the spool: lose the link, restart, and give letters back."""

import asyncio
from uuid import uuid4

import aio_pika
import pytest

from csms_platform.bus import BusSettings, open_doors
from csms_platform.bus.amqp import AmqpBus
from csms_platform.bus.amqp_spool import AmqpSpool
from csms_platform.ports import Unavailable
from tests.contract.cable import cable
from tests.contract.test_spool import HERE, Endpoint, letter, names, store, until
from tests.support.brokers import RabbitMQ

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def prefix() -> str:
    return f"test.{uuid4().hex[:8]}."


async def test_when_the_link_is_lost_handlers_are_cancelled_and_called_again_in_order(
    amqp_url: str, prefix: str
) -> None:
    endpoint = Endpoint(shut=True)
    async with cable(amqp_url) as line, open_doors(BusSettings(url=line.url, prefix=prefix)) as doors:
        await store(doors.spool, *range(6))
        await doors.spool.deliver(HERE, endpoint, 4)
        await endpoint.begins(4)

        line.cut()
        await until(lambda: len(endpoint.cancelled) == 4)
        endpoint.gate.set()
        await endpoint.delivers(6)

    assert endpoint.ids == names(4) + names(6)
    assert endpoint.delivered == names(6)


async def test_a_process_that_is_cut_off_loses_its_letters_to_another_in_order(amqp_url: str, prefix: str) -> None:
    stuck, endpoint = Endpoint(shut=True), Endpoint()
    async with (
        cable(amqp_url) as line,
        open_doors(BusSettings(url=line.url, prefix=prefix)) as one,
        open_doors(BusSettings(url=amqp_url, prefix=prefix)) as other,
    ):
        await one.spool.deliver(HERE, stuck, 8)
        await other.spool.deliver(HERE, endpoint, 2)
        await store(other.spool, *range(12))
        await stuck.begins(8)

        line.severed = True
        line.cut()
        await endpoint.delivers(12)

    assert endpoint.ids == names(12)
    assert stuck.delivered == []


@pytest.mark.parametrize("windows", [(10, 4, 3), (3, 8, 2)])
async def test_letters_come_in_order_through_processes_with_other_windows(
    amqp_url: str, prefix: str, windows: tuple[int, ...]
) -> None:
    endpoint = Endpoint()
    async with open_doors(BusSettings(url=amqp_url, prefix=prefix)) as storing:
        await store(storing.spool, *range(15))
        for window in windows:
            stuck = Endpoint(shut=True)
            async with open_doors(BusSettings(url=amqp_url, prefix=prefix)) as doors:
                await doors.spool.deliver(HERE, stuck, window)
                await stuck.begins(window)
            assert stuck.ids == names(window)
        await storing.spool.deliver(HERE, endpoint, 1)

        assert await endpoint.delivers(15) == names(15)


async def test_letters_survive_a_crash_of_the_broker_in_order_and_what_is_stored_meanwhile_follows(
    private_rabbitmq: RabbitMQ, prefix: str
) -> None:
    endpoint = Endpoint(shut=True)
    async with open_doors(BusSettings(url=private_rabbitmq.url, prefix=prefix)) as doors:
        await store(doors.spool, *range(4))
        await doors.spool.deliver(HERE, endpoint, 2)
        await endpoint.begins(2)
        # RabbitMQ writes down twice a second which quorum queues there are; one that is younger than that when the
        # broker is killed never works again. Ours are declared when a relay starts, not with their first letter.
        await asyncio.sleep(1)

        await asyncio.to_thread(private_rabbitmq.kill)
        await until(lambda: len(endpoint.cancelled) == 2)
        endpoint.gate.set()
        storing = asyncio.ensure_future(doors.spool.store(letter(4), seconds=40))
        await asyncio.sleep(0.1)
        stored_too_early = storing.done()
        await asyncio.to_thread(private_rabbitmq.start)
        await storing
        await until(lambda: len(endpoint.delivered) >= 5, 40)

    assert not stored_too_early
    assert list(dict.fromkeys(endpoint.delivered)) == names(5)


async def test_without_a_confirm_in_time_storing_and_counting_are_unavailable(amqp_url: str, prefix: str) -> None:
    async with cable(amqp_url) as line, open_doors(BusSettings(url=line.url, prefix=prefix)) as doors:
        await store(doors.spool, 0)
        line.severed = True
        line.cut()
        async with asyncio.timeout(5):
            while doors.bus.connected:
                await asyncio.sleep(0.01)

        with pytest.raises(Unavailable, match=r"did not confirm the letter within 0\.2 s"):
            await doors.spool.store(letter(1), seconds=0.2)
        with pytest.raises(Unavailable, match="not connected"):
            await doors.spool.waiting(HERE)

        line.severed = False
        async with asyncio.timeout(10):
            while not doors.bus.connected:
                await asyncio.sleep(0.01)
        assert await doors.spool.waiting(HERE) == 1


async def test_a_letter_that_nobody_can_read_is_removed_and_holds_nothing_up(amqp_url: str, prefix: str) -> None:
    endpoint = Endpoint()
    async with (
        open_doors(BusSettings(url=amqp_url, prefix=prefix)) as doors,
        await aio_pika.connect(amqp_url) as operator,
    ):
        await store(doors.spool, 0)
        exchange = (await operator.channel()).default_exchange
        await exchange.publish(aio_pika.Message(b"\xff{"), f"{prefix}ocpp.webhook.spool.{HERE}")
        await store(doors.spool, 1)

        await doors.spool.deliver(HERE, endpoint, 4)
        await endpoint.delivers(2)
        async with asyncio.timeout(10):
            while await doors.spool.waiting(HERE):
                await asyncio.sleep(0.05)

    assert endpoint.ids == names(2)


async def test_letters_that_wait_for_long_are_taken_again_in_order_before_the_broker_closes_the_channel(
    amqp_url: str, prefix: str
) -> None:
    endpoint = Endpoint(shut=True)
    settings = BusSettings(url=amqp_url, prefix=prefix)
    async with AmqpBus(settings) as bus:
        spool = AmqpSpool(bus, settings, patience=0.5)
        await store(spool, *range(3))
        await spool.deliver(HERE, endpoint, 3)

        await endpoint.begins(6)
        endpoint.gate.set()
        await endpoint.delivers(3)

    assert endpoint.ids[:6] == names(3) + names(3)
    assert endpoint.cancelled[:3] == names(3)


async def test_a_queue_that_is_declared_otherwise_spoils_its_own_endpoint_only(amqp_url: str, prefix: str) -> None:
    spoilt, endpoint = Endpoint(), Endpoint()
    async with (
        open_doors(BusSettings(url=amqp_url, prefix=prefix)) as doors,
        await aio_pika.connect(amqp_url) as operator,
    ):
        await (await operator.channel()).declare_queue(f"{prefix}ocpp.webhook.spool.spoilt", exclusive=True)
        await doors.spool.deliver("spoilt", spoilt, 1)
        await doors.spool.deliver(HERE, endpoint, 1)

        with pytest.raises(Unavailable):
            await doors.spool.store(letter(0, "spoilt"), seconds=0.3)
        await store(doors.spool, 1)

        assert await endpoint.delivers(1) == ["1"]
        assert doors.bus.connected
