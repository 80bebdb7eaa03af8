"""The router as a service: hears batches of envelopes and operators' orders, and sends what follows from them. It keeps
nothing between batches.

What needs no store is answered in one pass over the batch; facts noted on the way are written together before those
answers leave. What needs a store runs at the same time as the rest of its batch.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from csms_ocpp.version import StationId
from csms_platform.envelope import Envelope, Kind
from csms_platform.ports import ROUTER, Ports
from csms_router import metrics
from csms_router.admitting import Admitting
from csms_router.answering import Answering, Job
from csms_router.commands import Commands
from csms_router.departures import Departures
from csms_router.desk import Desk
from csms_router.intake import Intake
from csms_router.leases import Leases
from csms_router.presence import SOAP, Presence
from csms_router.settings import Settings
from csms_router.settling import Settling
from csms_router.stations import Reception
from csms_router.sweeper import Sweeper
from csms_router.visits import Door, Visits


@asynccontextmanager
async def service(ports: Ports, settings: Settings, *, now: Callable[[], float] = time.time) -> AsyncIterator[None]:
    """Answers at `ports.ROUTER` and takes orders while entered; leaving waits for what is under way, up to
    `drain_seconds`. `now` is in seconds since 1970.
    """
    commands = Commands(ports, settings, now)
    departures = Departures(ports.sessions, ports.events, now)
    sweeps = (departures.sweep, commands.overdue, commands.release_forgotten)
    sweeper = Sweeper(sweeps, settings.sweep_interval)
    ports.spawn(sweeper.run(), "router sweeper")
    await ports.bus.subscribe(ROUTER, Router(ports, settings, now, commands, departures).handle)
    await ports.orders.subscribe(Intake(ports, settings, commands, now).handle)
    try:
        yield
    finally:
        # What waits for a store is not acknowledged: the bus gives it to another router when we are gone.
        with contextlib.suppress(TimeoutError):
            leaving = asyncio.gather(ports.orders.unsubscribe(), ports.bus.unsubscribe(ROUTER))
            await asyncio.wait_for(leaving, settings.drain_seconds)
        commands.leave()
        sweeper.stop()


class Router:
    """Takes batches: calls to `Answering`, those of stations without a connection to `Visits` before, connections to
    `Reception`, gateways' words about themselves to `Leases`, answers of the operator's endpoint to `Settling`,
    commands and how they ended to `Commands`.
    """

    def __init__(
        self,
        ports: Ports,
        settings: Settings,
        now: Callable[[], float],
        commands: Commands,
        departures: Departures,
    ) -> None:
        self._ports = ports
        self._settings = settings
        self._now = now
        self._commands = commands
        self._presence = Presence(ports, settings)
        self._answering = Answering(ports.bus.send, settings, self._booted)
        self._settling = Settling(ports, settings, now, self._booted)
        admitting = Admitting(ports, settings, departures)
        door = Door(admitting, departures, commands.release)
        self._visits = Visits(ports, settings, now, door, self._answering.answer)
        reception = Reception(ports, settings, now, admitting, commands.release)
        leases = Leases(ports, settings, now)
        self._doors: dict[Kind, Callable[[Envelope], Job]] = {
            Kind.CONNECT: reception.connect,
            Kind.DISCONNECT: reception.disconnect,
            Kind.LEASE: leases.lease,
            Kind.RESUME: leases.resume,
        }

    async def handle(self, batch: list[Envelope]) -> None:
        """Answer a batch; returns when every answer has been handed to the bus, or given up."""
        began, ports = time.perf_counter(), self._ports
        desk = Desk(self._now, self._settings, ports.stations, ports.tags, ports.transactions)
        calls, jobs = self._sort(batch, desk.now)
        if calls:
            jobs += self._answering.answer(calls, desk)
        metrics.PASS.observe(time.perf_counter() - began)
        if len(jobs) == 1:
            await jobs[0]
        elif jobs:
            await asyncio.gather(*jobs)

    async def _booted(self, call: Envelope) -> None:
        identity = StationId(call.identity)
        if call.transport == SOAP:
            # It was let in for as long as the interval that it had been told before.
            await self._presence.renew(identity)
        await self._commands.release(identity)

    def _sort(self, batch: list[Envelope], now: float) -> tuple[list[Envelope], list[Job]]:
        calls: list[Envelope] = []
        asked: list[Envelope] = []
        ended: list[Envelope] = []
        jobs: list[Job] = []
        at = now * 1000
        for envelope in batch:
            kind = envelope.kind
            if 0 < envelope.deadline <= at and kind is not Kind.DISCONNECT:
                metrics.EXPIRED.inc()
            elif kind is Kind.CALL or kind is Kind.SEND:
                if envelope.arrival is None:
                    calls.append(envelope)
                else:
                    jobs.append(self._visits.visit(envelope))
            elif kind is Kind.COMMAND:
                asked.append(envelope)
            elif envelope.outcome and (kind is Kind.RESULT or kind is Kind.ERROR):
                ended.append(envelope)
            elif door := self._door(envelope):
                jobs.append(door(envelope))
            else:
                metrics.UNEXPECTED.inc()
        if asked:
            jobs.append(self._commands.asked(asked))
        if ended:
            jobs.append(self._commands.ended(ended))
        return calls, jobs

    def _door(self, envelope: Envelope) -> Callable[[Envelope], Job] | None:
        if envelope.settle and envelope.kind in (Kind.RESULT, Kind.ERROR):
            return self._settling.settle
        return self._doors.get(envelope.kind)
