"""The names that operators see on RabbitMQ, and how they are declared. `[bus] prefix` goes before each.

Whoever comes first declares, always the same way: RabbitMQ refuses a second declaration that differs.
"""

import aiormq
from pamqp.common import FieldTable

EVENTS = "ocpp.events"
COMMANDS = "ocpp.commands"
EXPIRED = "ocpp.commands.expired"
SPOOL = "ocpp.webhook.spool."

_SPOOL_ARGUMENTS: FieldTable = {
    "x-queue-type": "quorum",
    "x-single-active-consumer": True,
    # RabbitMQ 4 drops a letter that came back 20 times, unless told otherwise; each crash of a relay is one time.
    "x-delivery-limit": 1_000_000,
}


async def declare_events(channel: aiormq.Channel, prefix: str) -> None:
    """The exchange on which events are told; what nobody is bound to vanishes there."""
    await channel.exchange_declare(prefix + EVENTS, exchange_type="topic", durable=True)


async def declare_commands(channel: aiormq.Channel, prefix: str) -> None:
    """The exchange for commands, its queue, and the queue of those whose `expiration` ran out in it."""
    queue, expired = prefix + COMMANDS, prefix + EXPIRED
    await channel.exchange_declare(prefix + COMMANDS, exchange_type="topic", durable=True)
    one_consumer: FieldTable = {"x-single-active-consumer": True}
    dead: FieldTable = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": expired}
    await channel.queue_declare(expired, durable=True, arguments=one_consumer)
    await channel.queue_declare(queue, durable=True, arguments={**one_consumer, **dead})
    await channel.queue_bind(queue, prefix + COMMANDS, "#")


async def declare_spool(channel: aiormq.Channel, queue: str, *, passive: bool = False) -> int:
    """The durable queue of an endpoint's letters; answers how many wait in it and are with nobody."""
    declared = await channel.queue_declare(queue, durable=True, passive=passive, arguments=_SPOOL_ARGUMENTS)
    return declared.message_count or 0
