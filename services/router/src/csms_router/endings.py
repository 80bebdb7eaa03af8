"""How commands end: by a gateway's word, by a gateway's absence, or because nobody will hear of them any more.

A station without a connection is asked one thing at a time: what ends or postpones a command makes way for the next.
Whoever gets the record from the store tells. What the store cannot keep, because it stays away, becomes a time-out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from msgspec import Raw
from msgspec.structs import replace

from csms_ocpp.confidential import hidden
from csms_ocpp.events import Outcome
from csms_ocpp.version import StationId
from csms_platform.envelope import EMPTY, Envelope, Kind
from csms_platform.logging import get_logger
from csms_platform.ports import ROUTER, Address, Command, Ports, Unavailable, without_connection
from csms_router import consequences, metrics
from csms_router.desk import Release
from csms_router.orders import ENDED
from csms_router.outcomes import Teller
from csms_router.patience import patiently
from csms_router.presence import SOAP, Presence
from csms_router.settings import Settings

_log = get_logger("router")
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_MOST = 1000
_HEARD = frozenset({Outcome.RESULT.value, Outcome.ERROR.value})
T = TypeVar("T")


class Endings:
    """Ends commands, each once. `now` is in seconds since 1970. `proceed` sends a station what is queued for it."""

    def __init__(
        self, ports: Ports, settings: Settings, now: Callable[[], float], teller: Teller, proceed: Release
    ) -> None:
        self._store = ports.commands
        self._spawn = ports.spawn
        self._settings = settings
        self._now = now
        self._teller = teller
        self._proceed = proceed
        self._presence = Presence(ports, settings)
        self._consequences = consequences.Consequences(ports.stations, now)
        self._left = False
        ports.bus.on_return(self._returned)

    def leave(self) -> None:
        """Take nothing back from the bus any more: the stores may be closed from here on."""
        self._left = True

    async def ended(self, envelopes: Sequence[Envelope]) -> None:
        """A gateway says how these commands ended; those that it could not send wait again, if they may."""
        known = [envelope for envelope in envelopes if envelope.outcome in _OUTCOMES]
        metrics.UNEXPECTED.inc(len(envelopes) - len(known))
        # The last one first: each goes before those that wait already.
        backwards = known[::-1]
        waiting = await asyncio.gather(*[self._waits_again(envelope) for envelope in backwards])
        over = [envelope for envelope, waits in zip(backwards, waiting, strict=True) if not waits][::-1]
        ended = [command for command in await asyncio.gather(*[self._over(envelope) for envelope in over]) if command]
        for command in ended:
            self._teller.ended(command)
        await self._go_on(known, ended)

    async def overdue(self) -> None:
        """End what is late: sent commands of which nobody heard, and waiting and queued ones whose time is up.

        Raises `Unavailable`.
        """
        full = True
        while full:
            late = await self._store.overdue(int(self._now() * 1000), _MOST)
            full = len(late) == _MOST
            for command in late:
                await self.give_up(command, Outcome.TIMEOUT if command.status == "sent" else Outcome.EXPIRED)
            for identity in {command.identity: None for command in late if is_unheld(command)}:
                await self._proceed(identity)

    async def give_up(self, command: Command, outcome: Outcome) -> None:
        """End a command of which nobody will hear any more; nothing when it has ended. Raises `Unavailable`.

        What was queued behind it is still to be sent.
        """
        late = "It was sent, and nobody heard how it ended." if outcome is Outcome.TIMEOUT else "It waited too long."
        ended = replace(
            command,
            payload=hidden(command.action, command.payload),
            outcome=outcome.value,
            error_description=late,
            ended=int(self._now() * 1000),
        )
        if stored := await self._store.end(ended):
            self._teller.ended(stored)

    async def _go_on(self, told: Sequence[Envelope], ended: Sequence[Command]) -> None:
        """Stations without a connection: those that answered were heard of, and all may be asked the next thing."""
        heard = {one.identity for one in told if one.transport == SOAP and one.outcome in _HEARD}
        await asyncio.gather(*[self._presence.renew(StationId(identity)) for identity in sorted(heard)])
        free = {one.identity for one in told if one.transport == SOAP} | {
            one.identity for one in ended if is_unheld(one)
        }
        await asyncio.gather(*[self._proceed(StationId(identity)) for identity in sorted(free)])

    async def _waits_again(self, envelope: Envelope) -> bool:
        if envelope.outcome != Outcome.NOT_CONNECTED:
            return False
        identity, now, attempt = StationId(envelope.identity), int(self._now() * 1000), envelope.attempt
        try:
            waits = await self._patiently(lambda: self._store.postpone(identity, envelope.unique_id, now, attempt))
        except Unavailable:
            return False
        metrics.COMMANDS_POSTPONED.inc(waits)
        return waits

    async def _over(self, envelope: Envelope) -> Command | None:
        try:
            return await self._patiently(lambda: self._end(envelope))
        except Unavailable:
            metrics.COMMANDS_UNSETTLED.inc()
            _log.warning("cannot keep an outcome", station=envelope.identity, id=envelope.unique_id)
            return None

    async def _end(self, envelope: Envelope) -> Command | None:
        payload = EMPTY
        if envelope.action in consequences.ACTIONS:
            command = await self._store.get(StationId(envelope.identity), envelope.unique_id)
            if command is None or command.status == ENDED:
                return None
            if envelope.outcome == Outcome.RESULT:
                await self._consequences.draw(command, envelope.payload)
            payload = hidden(command.action, command.payload)
        return await self._store.end(self._by(envelope, payload))

    def _by(self, envelope: Envelope, payload: Raw) -> Command:
        """What `ports.Commands.end` reads of a command, from a gateway's word."""
        now = int(self._now() * 1000)
        return Command(
            StationId(envelope.identity),
            envelope.unique_id,
            envelope.action,
            payload,
            created=now,
            deadline=now,
            overdue=now,
            version=envelope.version,
            outcome=envelope.outcome,
            answer=envelope.payload,
            # Where nobody gave a code a gateway repeats the outcome.
            error_code="" if envelope.error_code == envelope.outcome else envelope.error_code,
            error_description=envelope.error_description,
            ended=now,
        )

    def _returned(self, address: Address, batch: list[Envelope]) -> None:
        """The bus gives back what it could not deliver: the gateway is gone, and nobody was asked anything."""
        calls = [one for one in batch if one.kind is Kind.CALL and one.reply_to == ROUTER.name and one.unique_id]
        metrics.COMMANDS_RETURNED.inc(len(calls))
        if calls and not self._left:
            self._spawn(self.ended([_not_connected(call) for call in calls]), f"commands back from {address.name}")

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """As long as the sweeper leaves a sent command alone."""
        return await patiently(ask, until=self._now() + self._settings.command_grace, clock=self._now)


def is_unheld(command: Command) -> bool:
    """Whether it was sent to a station that holds no connection."""
    return command.gateway == without_connection(command.identity)


def _not_connected(call: Envelope) -> Envelope:
    return Envelope(
        Kind.ERROR,
        call.identity,
        version=call.version,
        unique_id=call.unique_id,
        action=call.action,
        error_description="The gateway of the station is gone.",
        outcome=Outcome.NOT_CONNECTED.value,
        attempt=call.attempt,
    )
