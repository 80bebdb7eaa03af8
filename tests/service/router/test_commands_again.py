"""Orders that come again because the router that had them is gone: none is executed twice, none is lost."""

import asyncio
from typing import Any

from msgspec.structs import replace

from csms_platform.bus.amqp import AmqpBus
from csms_platform.ports import Order, Ports
from csms_router.commands import Commands
from csms_router.intake import Intake
from tests.service.router.commanding import SETTINGS, Scene, eventually, silent

NAMELESS = Order(b'{"action": "ClearCache"}', key="CS-1", reply_to="operator.replies", correlation_id="c-1")


class HeldMemory:
    """Transactions that remember once, and then hold on: the order is sent, and cannot be acknowledged."""

    def __init__(self, transactions: Any) -> None:
        self._transactions = transactions
        self.held = asyncio.Event()
        self.go_on = asyncio.Event()
        self._remembered = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transactions, name)

    async def remember(self, key: str, reply: bytes, seconds: float) -> None:
        self._remembered += 1
        if self._remembered > 1:
            self.held.set()
            await asyncio.wait_for(self.go_on.wait(), 30)
        await self._transactions.remember(key, reply, seconds)


async def taking(scene: Scene, ports: Ports) -> None:
    """A process that takes orders, and cannot leave in good order: only what is between its doors and the stores."""
    commands = Commands(ports, SETTINGS, scene.clock)
    await ports.orders.subscribe(Intake(ports, SETTINGS, commands, scene.clock).handle)


async def kill(scene: Scene, ports: Ports) -> None:
    """Its broker loses it."""
    if isinstance(ports.bus, AmqpBus):
        (await ports.bus.link()).fail("killed")
    else:
        await scene.vanish(ports)


async def test_an_order_without_an_id_that_was_sent_by_a_router_that_died_is_not_sent_again(scene: Scene) -> None:
    memory = HeldMemory(scene.stores.transactions)
    gateway = await scene.gateway(answer=silent)
    dying = await scene.ports(transactions=memory)
    await taking(scene, dying)
    await scene.router()
    await gateway.connects("CS-1")
    await scene.broker.order("CS-1", b'[{"action": "ClearCache"}]')  # aio_pika gives every message an id
    await asyncio.wait_for(memory.held.wait(), 10)
    await eventually(lambda: len(gateway.calls) == 1)

    await kill(scene, dying)
    await scene.order("CS-1", "Reset", {"type": "Soft"}, id="behind")
    await eventually(lambda: "behind" in gateway.ids)
    memory.go_on.set()

    assert [call.action for call in gateway.calls] == ["ClearCache", "Reset"]


async def intake(scene: Scene) -> Intake:
    """The handler of orders by itself."""
    ports = await scene.ports()
    return Intake(ports, SETTINGS, Commands(ports, SETTINGS, scene.clock), scene.clock)


async def test_a_redelivered_order_gets_the_id_that_it_had(scene: Scene) -> None:
    gateway, one, other = await scene.gateway(answer=silent), await intake(scene), await intake(scene)
    await scene.router()
    await gateway.connects("CS-1")

    await one.handle([NAMELESS])
    await other.handle([replace(NAMELESS, redelivered=True)])
    await other.handle([replace(NAMELESS, expired=True)])
    await eventually(lambda: len(gateway.calls) == 1)
    await other.handle([replace(NAMELESS, redelivered=True, correlation_id="c-2")])
    await eventually(lambda: len(gateway.calls) == 2)

    assert len(set(gateway.ids)) == 2


async def test_every_order_of_a_redelivered_array_gets_the_id_that_it_had(scene: Scene) -> None:
    gateway, one, other = await scene.gateway(answer=silent), await intake(scene), await intake(scene)
    await scene.router()
    await gateway.connects("CS-1")
    array = replace(NAMELESS, body=b'[{"action":"ClearCache"},{"action":"Nonsense"},{"action":"ClearCache"}]')

    await one.handle([array])
    await other.handle(
        [replace(array, redelivered=True), replace(NAMELESS, redelivered=True, body=b'{"action":"Reset"}')]
    )
    await eventually(lambda: len(gateway.calls) == 3)

    assert len(set(gateway.ids)) == 3
    assert [call.action for call in gateway.calls] == ["ClearCache", "ClearCache", "Reset"]


async def test_the_same_order_published_twice_without_an_id_is_two_commands(scene: Scene) -> None:
    gateway, handler = await scene.gateway(answer=silent), await intake(scene)
    await scene.router()
    await gateway.connects("CS-1")

    await handler.handle([NAMELESS, NAMELESS])
    await eventually(lambda: len(gateway.calls) == 2)

    assert len(set(gateway.ids)) == 2


async def test_an_order_that_expired_before_anybody_took_it_is_not_sent(scene: Scene) -> None:
    gateway, handler = await scene.gateway(), await intake(scene)
    await scene.router()
    await gateway.connects("CS-1")

    await handler.handle([replace(NAMELESS, expired=True), replace(NAMELESS, expired=True, redelivered=True)])
    outcomes = await scene.outcomes(2)

    assert [outcome for _, outcome in outcomes] == ["Expired", "Expired"]
    assert gateway.calls == []
