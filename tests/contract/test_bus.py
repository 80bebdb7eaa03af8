"""What every bus adapter promises, tried on memory and on RabbitMQ."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from csms_platform.envelope import Envelope, Kind, Raw
from csms_platform.ports import ROUTER, Address, Bus, GatewayId, gateway_address
from tests.contract.doors import Broker


@pytest.fixture(params=[1, 8], ids=["unpartitioned", "8 partitions"])
def connect(broker: Broker, request: pytest.FixtureRequest) -> Callable[..., Awaitable[Bus]]:
    """Opens another process's end of the same bus, as often as asked."""

    async def open_one(**settings: object) -> Bus:
        return (await broker.connect(router_partitions=request.param, **settings)).bus

    return open_one


class Inbox:
    """A handler that keeps what it gets, and can be told to dawdle or fail."""

    def __init__(self) -> None:
        self.batches: list[list[Envelope]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failures = 0

    async def __call__(self, batch: list[Envelope]) -> None:
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise RuntimeError("told to")
        self.batches.append(batch)

    @property
    def ids(self) -> list[str]:
        return [envelope.unique_id for batch in self.batches for envelope in batch]

    async def wait_for(self, count: int) -> list[str]:
        async with asyncio.timeout(10):
            while len(self.ids) < count:
                await asyncio.sleep(0.005)
        return self.ids


def call(unique_id: object, **fields: object) -> Envelope:
    return Envelope(Kind.CALL, "CP-1", unique_id=str(unique_id), action="Heartbeat", **fields)


def gateway(name: str = "") -> Address:
    return gateway_address(GatewayId(name or uuid4().hex[:8]))


async def test_an_envelope_arrives_as_it_was_sent(connect) -> None:
    sender, receiver, inbox = await connect(), await connect(), Inbox()
    await receiver.subscribe(ROUTER, inbox)
    payload = Raw('{"text": "ü \\u0000 😀",  "n": 1.50}'.encode())

    sender.send(ROUTER, call(1, payload=payload, reply_to="ocpp.gateway.x", deadline=int(time.time() * 1000) + 9000))
    await inbox.wait_for(1)

    (envelope,) = inbox.batches[0]
    assert bytes(envelope.payload) == bytes(payload)
    assert (envelope.kind, envelope.identity, envelope.reply_to) == (Kind.CALL, "CP-1", "ocpp.gateway.x")


async def test_what_is_sent_in_one_tick_travels_as_one_batch_in_order(connect) -> None:
    sender, receiver, inbox = await connect(), await connect(), Inbox()
    await receiver.subscribe(ROUTER, inbox)

    for number in range(100):
        sender.send(ROUTER, call(number))
    await inbox.wait_for(100)

    assert [len(batch) for batch in inbox.batches] == [100]
    assert inbox.ids == [str(number) for number in range(100)]


async def test_many_batches_keep_the_sender_s_order(connect) -> None:
    sender, receiver, inbox = await connect(), await connect(), Inbox()
    address = gateway()
    await receiver.subscribe(address, inbox)

    for number in range(2000):
        sender.send(address, call(number))
        if number % 7 == 0:
            await asyncio.sleep(0)
    await inbox.wait_for(2000)

    assert inbox.ids == [str(number) for number in range(2000)]
    assert max(len(batch) for batch in inbox.batches) <= 512


async def test_large_payloads_are_split_into_batches_of_bounded_size(connect) -> None:
    sender, receiver, inbox = await connect(), await connect(), Inbox()
    await receiver.subscribe(ROUTER, inbox)
    payload = Raw(b'"' + b"x" * 100_000 + b'"')

    for number in range(10):
        sender.send(ROUTER, call(number, payload=payload))
    await inbox.wait_for(10)

    assert inbox.ids == [str(number) for number in range(10)]
    assert all(sum(len(envelope.payload) for envelope in batch) < 256 * 1024 for batch in inbox.batches)


async def test_a_shared_address_is_worked_on_by_all_its_consumers_each_envelope_once(connect) -> None:
    sender, one, two = await connect(), await connect(), await connect()
    inboxes = Inbox(), Inbox()
    await one.subscribe(ROUTER, inboxes[0])
    await two.subscribe(ROUTER, inboxes[1])

    for number in range(40):
        sender.send(ROUTER, call(number))
        await sender.flush()
    async with asyncio.timeout(10):
        while len(inboxes[0].ids) + len(inboxes[1].ids) < 40:
            await asyncio.sleep(0.005)

    assert sorted(inboxes[0].ids + inboxes[1].ids, key=int) == [str(number) for number in range(40)]
    assert inboxes[0].ids
    assert inboxes[1].ids


async def test_a_shared_address_keeps_what_is_sent_before_anybody_listens(connect) -> None:
    sender, receiver, inbox = await connect(), await connect(), Inbox()
    sender.send(ROUTER, call(1))
    await sender.flush()

    await receiver.subscribe(ROUTER, inbox)

    assert await inbox.wait_for(1) == ["1"]


async def test_envelopes_for_an_address_that_nobody_serves_come_back(connect) -> None:
    sender, returned = await connect(), []
    sender.on_return(lambda address, batch: returned.append((address.name, [e.unique_id for e in batch])))
    address = gateway("gone")

    sender.send(address, call(1))
    sender.send(address, call(2))
    await sender.flush()

    assert returned == [(address.name, ["1", "2"])]


async def test_two_batches_under_way_to_an_address_that_nobody_serves_both_come_back(connect) -> None:
    sender, returned = await connect(), []
    sender.on_return(lambda address, batch: returned.extend(envelope.unique_id for envelope in batch))
    address = gateway("gone")

    for number in range(2):
        sender.send(address, call(number))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await sender.flush()

    assert returned == ["0", "1"]


async def test_a_private_address_ends_with_its_subscription(connect) -> None:
    sender, receiver, inbox, returned = await connect(), await connect(), Inbox(), []
    sender.on_return(lambda address, batch: returned.append(batch[0].unique_id))
    address = gateway()
    await receiver.subscribe(address, inbox)
    sender.send(address, call(1))
    await inbox.wait_for(1)

    await receiver.unsubscribe(address)
    await asyncio.sleep(0.1)
    sender.send(address, call(2))
    await sender.flush()

    assert (inbox.ids, returned) == (["1"], ["2"])


async def test_expired_envelopes_are_dropped_and_the_others_arrive(connect) -> None:
    sender, receiver, inbox = await connect(), await connect(), Inbox()
    await receiver.subscribe(ROUTER, inbox)

    sender.send(ROUTER, call("late", deadline=int(time.time() * 1000) - 1))
    sender.send(ROUTER, call("good", deadline=int(time.time() * 1000) + 60_000))

    assert await inbox.wait_for(1) == ["good"]


async def test_unsubscribe_waits_for_the_handlers_under_way_and_takes_nothing_new(connect) -> None:
    sender, receiver, inbox = await connect(), await connect(), Inbox()
    await receiver.subscribe(ROUTER, inbox)
    inbox.gate.clear()
    sender.send(ROUTER, call(1))
    await sender.flush()
    await asyncio.sleep(0.1)

    leaving = asyncio.ensure_future(receiver.unsubscribe(ROUTER))
    await asyncio.sleep(0.1)
    sender.send(ROUTER, call(2))
    await sender.flush()
    assert not leaving.done()
    inbox.gate.set()
    await asyncio.wait_for(leaving, 5)

    assert inbox.ids == ["1"]


async def test_what_a_process_did_not_finish_is_given_to_another(connect) -> None:
    sender, receiver, inbox = await connect(), await connect(), Inbox()
    sender.send(ROUTER, call(1))
    await sender.flush()
    leaver, stuck = await connect(), Inbox()

    await receiver.subscribe(ROUTER, inbox)
    await leaver.subscribe(ROUTER, stuck)
    await inbox.wait_for(1)
    await leaver.unsubscribe(ROUTER)
    for number in range(2, 6):
        sender.send(ROUTER, call(number))
        await sender.flush()

    assert await inbox.wait_for(5) == ["1", "2", "3", "4", "5"]
    assert stuck.ids == []


async def test_a_failing_handler_loses_its_batch_and_not_the_subscription(connect) -> None:
    sender, receiver, inbox = await connect(), await connect(), Inbox()
    await receiver.subscribe(ROUTER, inbox)
    inbox.failures = 1

    sender.send(ROUTER, call(1))
    await sender.flush()
    async with asyncio.timeout(5):
        while inbox.failures:
            await asyncio.sleep(0.005)
    sender.send(ROUTER, call(2))

    assert await inbox.wait_for(1) == ["2"]


async def test_one_address_is_subscribed_once_per_process(connect) -> None:
    bus = await connect()
    await bus.subscribe(ROUTER, Inbox())

    with pytest.raises(ValueError, match="subscribed already"):
        await bus.subscribe(ROUTER, Inbox())


async def test_a_full_outbox_says_so_and_says_when_there_is_room_again(connect) -> None:
    sender, states = await connect(outbox_mib=1), []
    sender.on_congestion(states.append)
    await sender.subscribe(ROUTER, Inbox())
    payload = Raw(b'"' + b"x" * 300_000 + b'"')

    for number in range(5):
        sender.send(ROUTER, call(number, payload=payload))
    full = sender.congested
    await sender.flush()

    assert (full, sender.congested, states) == (True, False, [True, False])
