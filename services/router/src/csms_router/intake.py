"""Orders come in: read, named, and begun in their order. An order that comes again is not executed again.

RabbitMQ delivers an order again when the router that had it is gone. An order whose sender gave it no id is recognised
by all else: its digest is kept, with the id that it got, before anything is sent.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID, uuid4, uuid5

from msgspec.structs import replace

from csms_ocpp.events import Outcome
from csms_platform.logging import get_logger
from csms_platform.ports import Command, Order, Ports, Unavailable
from csms_router import orders
from csms_router.answers.repeats import fingerprint
from csms_router.commands import Commands
from csms_router.orders import ENDED, refused
from csms_router.patience import patiently
from csms_router.settings import Settings

_log = get_logger("router")
_UNDER_WAY = 86400.0  # seconds that a digest is kept: until nobody redelivers any more
_TAKEN = 60.0  # and after the order was taken: until it is acknowledged. A later one like it is another order


class _Taken(NamedTuple):
    """An order's commands; `key` is where the id is kept that they were named by, "" when they have their own."""

    commands: list[Command]
    key: str = ""
    name: str = ""


class Intake:
    """The handler of `ports.Orders`. `now` is in seconds since 1970."""

    def __init__(self, ports: Ports, settings: Settings, commands: Commands, now: Callable[[], float]) -> None:
        self._memory = ports.transactions
        self._store = ports.commands
        self._settings = settings
        self._commands = commands
        self._now = now

    async def handle(self, batch: list[Order]) -> None:
        """Take these orders; returns when everything in them has begun or ended."""
        now = self._now()
        taken = await asyncio.gather(*[self._take(order, now) for order in batch])
        await self._commands.take([command for one in taken for command in one.commands])
        await self._forget([one for one in taken if one.key])

    async def _take(self, order: Order, now: float) -> _Taken:
        read = _Taken(orders.read(order, now, self._settings))
        if any(not command.id and command.status != ENDED for command in read.commands):
            read = await self._named(order, read.commands)
        if order.expired:
            read = read._replace(commands=[await self._late(command) for command in read.commands])
        return read

    async def _named(self, order: Order, commands: list[Command]) -> _Taken:
        until = max(command.deadline for command in commands) / 1000
        key = "order/" + fingerprint(order.body, order.key, order.reply_to, order.correlation_id, order.message_id)
        again = order.redelivered or order.expired
        try:
            name = await patiently(lambda: self._name(key, again), until=until, clock=self._now)
        except Unavailable:
            sentence = "The store stayed away until the command's deadline."
            expired = [_unless_ended(command, Outcome.EXPIRED, sentence) for command in commands]
            return _Taken(_with_ids(expired, str(uuid4())))
        return _Taken(_with_ids(commands, name), key, name)

    async def _name(self, key: str, again: bool) -> str:
        stored = await self._memory.answered(key) if again else None
        name = stored.decode() if stored else str(uuid4())
        await self._memory.remember(key, name.encode(), _UNDER_WAY)
        return name

    async def _late(self, command: Command) -> Command:
        """One that came in time, and comes again too late, may have been executed: then it goes on as a repeat."""
        try:
            if command.id and await self._store.get(command.identity, command.id):
                return command
        except Unavailable:
            _log.warning("cannot look an expired order up", station=command.identity, id=command.id)
        return _unless_ended(command, Outcome.EXPIRED, "It waited too long for a router.")

    async def _forget(self, taken: Sequence[_Taken]) -> None:
        try:
            await asyncio.gather(*[self._memory.remember(one.key, one.name.encode(), _TAKEN) for one in taken])
        except Unavailable:
            # Then it is remembered longer: another order like it, delivered twice, would be taken for this one.
            _log.warning("cannot forget orders", orders=len(taken))


def _with_ids(commands: list[Command], name: str) -> list[Command]:
    """The only command gets the name as its id; several get ids made from it, the same ones every time."""
    if len(commands) == 1:
        return [replace(commands[0], id=commands[0].id or name)]
    root = UUID(name)
    return [replace(command, id=command.id or str(uuid5(root, str(n)))) for n, command in enumerate(commands)]


def _unless_ended(command: Command, outcome: Outcome, description: str) -> Command:
    return command if command.status == ENDED else refused(command, outcome, description)
