"""Sending to shared addresses that are several queues on RabbitMQ, as one queue is the work of one core there.

A station's envelopes are all in one queue, by the CRC-32 of its identity, so the order per sender and station is kept.
Receiving is `AmqpBus`'s: it serves every queue that an address has, whatever the number that senders know.
"""

from zlib import crc32

from csms_platform.bus import BusSettings
from csms_platform.bus.amqp import AmqpBus
from csms_platform.bus.amqp_queues import partitions
from csms_platform.envelope import Envelope
from csms_platform.ports import ROUTER, WEBHOOK, Address


class PartitionedBus(AmqpBus):
    """An `AmqpBus` for settings with several partitions: without, sending pays nothing for them."""

    def __init__(self, settings: BusSettings) -> None:
        super().__init__(settings)
        self._partitions = {address.name: partitions(address, settings) for address in (ROUTER, WEBHOOK)}

    def send(self, address: Address, envelope: Envelope) -> None:
        """See `ports.Bus.send`."""
        if parts := self._partitions.get(address.name):
            address = parts[crc32(envelope.identity.encode()) % len(parts)]
        super().send(address, envelope)
