"""Commands to stations: each is sent at most once, and ends exactly once.

The store decides both in one step each (`ports.Commands`): whoever takes a new command in sends it, whoever ends it
tells. A router that dies between the two leaves a command of which nobody knows whether it was sent: it times out.

    order or COMMAND ──begin──► sent ──CALL──► gateway ──outcome──► end ──► waiters, event
                          │      ▲                        │
                          ├► waiting ◄───── postpone ─────┤   (NotConnected, and it may still wait)
                          └► queued ─── next ◄────────────┘   (stations without a connection: one at a time)

This file is the left half; `endings` is the right one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

from csms_ocpp.events import Outcome
from csms_ocpp.version import StationId
from csms_platform.envelope import Capsule, Envelope, Kind
from csms_platform.logging import get_logger
from csms_platform.ports import ROUTER, Command, GatewayId, Ports, SessionRecord, Unavailable, Waiter, gateway_address
from csms_router import metrics
from csms_router.admitting import registration
from csms_router.answers.common import ACCEPTED
from csms_router.endings import Endings, is_unheld
from csms_router.orders import ENDED, refused, why_invalid
from csms_router.outcomes import Teller
from csms_router.patience import patiently
from csms_router.presence import JSON, SOAP
from csms_router.settings import Settings

_log = get_logger("router")
_SENT = "sent"
_SETTLED = 5000  # milliseconds after which a connection that was let in has been released to, unless something failed


class Commands:
    """Takes commands in and sends them. One instance serves the whole router. `now` is in seconds since 1970."""

    def __init__(self, ports: Ports, settings: Settings, now: Callable[[], float]) -> None:
        self._ports = ports
        self._store = ports.commands
        self._settings = settings
        self._now = now
        self._teller = Teller(ports, now)
        self._endings = Endings(ports, settings, now, self._teller, self.proceed)
        self.ended = self._endings.ended
        self.overdue = self._endings.overdue
        self.leave = self._endings.leave

    async def asked(self, envelopes: Sequence[Envelope]) -> None:
        """COMMANDs of our own services."""
        await self.take([self._read(envelope) for envelope in envelopes])

    async def take(self, commands: Sequence[Command]) -> None:
        """Begin these together, send them in their order. Ended ones were refused already: those are told so only.

        Returns when every one has begun, or its deadline has passed while the store was away.
        """
        begun = await asyncio.gather(*[self._begin(command) for command in commands])
        for command, (stored, new) in zip(commands, begun, strict=True):
            await self._go_on(command, stored, new)

    async def release(self, identity: StationId) -> None:
        """The station can be asked now: send what waits for it. When the store is away, the sweeper will do it."""
        await self._send_all(identity, self._store.release)

    async def proceed(self, identity: StationId) -> None:
        """The station may be asked the next thing: send what is queued first. When the store is away, as above."""
        await self._send_all(identity, self._store.next)

    async def release_forgotten(self) -> None:
        """Send what still waits for stations that have been there for a while, and what is queued though the one before
        is over. Raises `Unavailable`.

        A command may begin to wait in the moment in which its station comes, or come back from a gateway that the
        station has left for another one. A router may have gone between the end of a command and the next one.
        """
        expectant = await self._store.expectant()
        sessions = await asyncio.gather(*[self._ports.sessions.get(identity) for identity in expectant])
        latest = self._milliseconds() - _SETTLED
        for session in sessions:
            if session and session.transport == SOAP:
                # What waits for a station without a connection is tried when it is heard of, and not before.
                await self.proceed(session.identity)
            elif session and session.since <= latest and await self._may_be_asked(session):
                await self.release(session.identity)

    async def _send_all(self, identity: StationId, ask: Callable[[StationId], Awaitable[list[Command]]]) -> None:
        try:
            commands = await ask(identity)
            while late := [command for command in commands if not await self._sent_in_time(command)]:
                for command in late:
                    await self._endings.give_up(command, Outcome.EXPIRED)
                commands = await self._store.next(identity)
        except Unavailable as error:
            metrics.STORE_RETRIES.inc()
            _log.warning("cannot send what waits", station=identity, reason=str(error))

    async def _sent_in_time(self, command: Command) -> bool:
        # Past its time another router's sweeper may be ending it: what is Expired must not have been sent.
        waited = command.offline_until and not is_unheld(command)
        latest = command.offline_until if waited else command.deadline
        in_time = latest > self._milliseconds()
        if in_time:
            await self._send(command)
        return in_time

    async def _may_be_asked(self, session: SessionRecord) -> bool:
        if not self._settings.boot_required:
            return True
        stations = self._ports.stations
        notes, station = await asyncio.gather(stations.recall(session.identity), stations.get(session.identity))
        return registration(station, notes) == ACCEPTED

    def _read(self, envelope: Envelope) -> Command:
        now, grace = self._milliseconds(), round(self._settings.command_grace * 1000)
        timeout = round(self._settings.command_patience * 1000)
        deadline = max(envelope.deadline or now + timeout, envelope.offline_until)
        command = Command(
            StationId(envelope.identity),
            envelope.unique_id or str(uuid4()),
            envelope.action,
            envelope.payload,
            created=now,
            deadline=deadline,
            overdue=deadline + grace,
            offline_until=envelope.offline_until,
            waiters=(Waiter(envelope.reply_to, envelope.unique_id),) if envelope.reply_to else (),
        )
        reason = why_invalid(command.identity, command.id, command.action, command.payload)
        return refused(command, Outcome.INVALID, reason) if reason else command

    async def _begin(self, command: Command) -> tuple[Command, bool]:
        if command.status == ENDED:
            return command, True
        try:
            until = command.deadline / 1000
            return await patiently(lambda: self._store.begin(command), until=until, clock=self._now)
        except Unavailable:
            return refused(command, Outcome.EXPIRED, "The store stayed away until the command's deadline."), True

    async def _go_on(self, asked: Command, stored: Command, new: bool) -> None:
        if new and stored.status == _SENT:
            await self._send(stored)
        elif new and stored.outcome == Outcome.INVALID:
            self._teller.refused(stored)
        elif new and stored.status == ENDED:
            self._teller.ended(stored)
        elif new:
            _log.info("command waits", station=stored.identity, action=stored.action, id=stored.id)
        elif asked.fingerprint != stored.fingerprint:
            self._teller.refused(refused(asked, Outcome.REFUSED, "The uniqueId was used for another command."))
        else:
            metrics.COMMANDS_REPEATED.inc()
            if stored.status == ENDED:
                self._teller.tell(stored, asked.waiters)

    async def _send(self, command: Command) -> None:
        unheld = is_unheld(command)
        call = Envelope(
            Kind.CALL,
            command.identity,
            version=command.version,
            transport=SOAP if unheld else JSON,
            unique_id=command.id,
            action=command.action,
            payload=command.payload,
            reply_to=ROUTER.name,
            session=await self._capsule(command.identity) if unheld else None,
            deadline=command.deadline,
            attempt=command.attempt,
            callback=command.callback,
        )
        self._ports.bus.send(gateway_address(GatewayId(command.gateway)), call)

    async def _capsule(self, identity: StationId) -> Capsule | None:
        """The station's registration, for a gateway that has no capsule of its own; None: nobody can say now."""
        stations = self._ports.stations
        try:
            station, notes = await asyncio.gather(stations.get(identity), stations.recall(identity))
        except Unavailable:
            return None
        return Capsule(registration=registration(station, notes))

    def _milliseconds(self) -> int:
        return int(self._now() * 1000)
