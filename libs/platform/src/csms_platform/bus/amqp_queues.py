"""The queues behind our own addresses: how they are declared, and which an address with partitions has.

Whoever comes first declares, always the same way.
"""

import contextlib

import aiormq
from aiormq.exceptions import ChannelNotFoundEntity

from csms_platform.bus import BusSettings
from csms_platform.bus.amqp_link import LOST, Link
from csms_platform.ports import ROUTER, WEBHOOK, Address


async def declare(channel: aiormq.Channel, address: Address, prefix: str) -> None:
    """Make sure that the address's queue exists, the same way from whichever side comes first."""
    if address.shared:
        await channel.queue_declare(prefix + address.name, durable=True)
    else:
        # Exclusive and auto-delete: when its process is gone the address is gone, and senders get their messages back.
        await channel.queue_declare(prefix + address.name, exclusive=True, auto_delete=True)


def partitions(address: Address, settings: BusSettings) -> tuple[Address, ...]:
    """The queues of an address. The first has the address's own name, so one that is not partitioned has it alone."""
    count = {ROUTER.name: settings.router_partitions, WEBHOOK.name: settings.webhook_partitions}.get(address.name, 1)
    return (address, *(_partition(address, number) for number in range(1, count)))


async def leftovers(link: Link, address: Address, settings: BusSettings) -> tuple[Address, ...]:
    """Queues of partitions beyond those of the settings: the broker has them from a time when there were more."""
    if address not in (ROUTER, WEBHOOK):
        return ()
    found: list[Address] = []
    number = len(partitions(address, settings))
    while await _exists(link, settings.prefix + _partition(address, number).name):
        found.append(_partition(address, number))
        number += 1
    return tuple(found)


def _partition(address: Address, number: int) -> Address:
    return Address(f"{address.name}.{number}", shared=True, once=address.once)


async def _exists(link: Link, queue: str) -> bool:
    # A channel of its own: RabbitMQ closes it when there is no such queue.
    channel = await link.channel(link.consuming, confirms=False)
    try:
        await channel.queue_declare(queue, passive=True)
    except ChannelNotFoundEntity:
        return False
    finally:
        with contextlib.suppress(*LOST):
            await channel.close()
    return True
