"""An operator's program of foreign make: `aio_pika` on the public exchanges, as docs/commands.md tells.

Nothing of ours is used here.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue


class Operator:
    """Publishes commands, and gathers outcomes and events. `outcomes` are in the order in which they came."""

    def __init__(self, channel: AbstractChannel, replies: AbstractQueue, prefix: str) -> None:
        self._channel = channel
        self._replies = replies
        self._prefix = prefix
        self.outcomes: list[dict[str, Any]] = []
        self.correlations: list[str | None] = []
        self.events: list[dict[str, Any]] = []
        self.keys: list[str] = []

    async def publish(
        self, body: object, *, key: str = "", expiration: float | None = None, reply: bool = True, **properties: Any
    ) -> None:
        """One message to `ocpp.commands`; `body` is encoded unless it is bytes, `expiration` in seconds."""
        exchange = await self._channel.get_exchange(self._prefix + "ocpp.commands", ensure=False)
        message = aio_pika.Message(
            body if isinstance(body, bytes) else json.dumps(body).encode(),
            reply_to=self._replies.name if reply else None,
            expiration=expiration,
            **properties,
        )
        await exchange.publish(message, key or (body.get("identity", "") if isinstance(body, dict) else ""))

    async def ask(
        self, identity: str, action: str, payload: object = None, *, within: float = 10, **more: Any
    ) -> dict[str, Any]:
        """One command and its outcome."""
        command_id = more.pop("uniqueId", None) or uuid.uuid4().hex
        command = {"identity": identity, "action": action, "payload": payload or {}, "uniqueId": command_id}
        await self.publish(command, **more)
        return await self.learns(command_id, within)

    async def learns(self, command_id: str, within: float = 10) -> dict[str, Any]:
        """The first outcome of this command, waited for."""
        async with asyncio.timeout(within):
            while not (found := [outcome for outcome in self.outcomes if outcome["uniqueId"] == command_id]):
                await asyncio.sleep(0.005)
        return found[0]

    async def follow(self, *patterns: str) -> None:
        """Gather events under these topic patterns from now on."""
        await self._channel.declare_exchange(self._prefix + "ocpp.events", "topic", durable=True)
        queue = await self._channel.declare_queue(exclusive=True)
        for pattern in patterns:
            await queue.bind(self._prefix + "ocpp.events", pattern)
        await queue.consume(self._event, no_ack=True)
        await asyncio.sleep(1.2)  # a new binding is noticed within a second

    async def sees(self, count: int, within: float = 10, **fields: Any) -> list[dict[str, Any]]:
        """`count` events with these fields, waited for."""
        async with asyncio.timeout(within):
            while len(found := [e for e in self.events if fields.items() <= e.items()]) < count:
                await asyncio.sleep(0.01)
        return found

    async def _event(self, message: AbstractIncomingMessage) -> None:
        self.keys.append(message.routing_key or "")
        self.events.append(json.loads(message.body))

    async def outcome(self, message: AbstractIncomingMessage) -> None:
        """Take an outcome in."""
        self.correlations.append(message.correlation_id)
        self.outcomes.append(json.loads(message.body))


@asynccontextmanager
async def operator(url: str, prefix: str = "") -> AsyncIterator[Operator]:
    """An operator at the RabbitMQ at `url`, of the system whose queues begin with `prefix`."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(on_return_raises=True)
        replies = await channel.declare_queue(exclusive=True)
        made = Operator(channel, replies, prefix)
        await replies.consume(made.outcome, no_ack=True)
        yield made
