"""The WebSocket gateway: lets stations in on the router's word, carries messages both ways, leaves in good order.

It keeps sockets and nothing else: no decision, no store. A gateway may be killed at any time; its stations reconnect
to another one, and its lease tells the routers that it is gone.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic, time
from uuid import uuid4

import msgspec

from csms_ocpp import schemas
from csms_ocpp.session import AnswerRefused, CallEnded, Complaint, Outcome
from csms_ocpp.version import SUBPROTOCOLS, Version
from csms_platform.envelope import Capsule, Envelope, Kind, Lease, Raw
from csms_platform.logging import CallLog, get_logger, where
from csms_platform.outcomes import Recent, told_outcome
from csms_platform.ports import ROUTER, GatewayId, Ports, address_of, gateway_address
from csms_ws_gateway import metrics
from csms_ws_gateway.arrival import Arrival
from csms_ws_gateway.connection import Connection
from csms_ws_gateway.reception import Reception
from csms_ws_gateway.settings import Settings
from csms_ws_gateway.telling import Teller

_encode = msgspec.json.Encoder().encode

_COMMANDS_REMEMBERED = 10_000
_MOST_WAVES = 20  # however many stations there are, leaving must end before the process is killed


@asynccontextmanager
async def service(ports: Ports, settings: Settings) -> AsyncIterator[None]:
    """Serve stations while inside; leaving answers what was asked, closes every socket, and says goodbye to the bus."""
    for version in SUBPROTOCOLS.values():
        schemas.table(version)  # compiled now, and not while the first station of the version waits
    gateway = Gateway(ports, settings, GatewayId(uuid4().hex[:12]))
    await ports.bus.subscribe(gateway.address, gateway.hear)
    ports.bus.on_congestion(gateway.congested)
    ports.mount(settings.path, gateway.reception.arrive)
    ports.spawn(gateway.tick(), "ws-gateway clock")
    ports.spawn(gateway.live(), "ws-gateway lease")
    try:
        yield
    finally:
        await gateway.drain()
        # Without a broker the goodbyes cannot be said; the end of our lease says them.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ports.bus.flush(), settings.close_deadline)
        await ports.bus.unsubscribe(gateway.address)


def about(connection: Connection) -> dict[str, str]:
    """Whom a line of the log is about."""
    return {"station": connection.identity, "account": connection.capsule.account, "version": connection.version}


class Gateway:
    """All connections of this process. `connections` holds the accepted ones by identity, the newest each."""

    def __init__(self, ports: Ports, settings: Settings, id: GatewayId) -> None:
        self.bus = ports.bus
        self.proxies = ports.proxies
        self.teller = Teller(ports.events, id)
        self.settings = settings
        self.address = gateway_address(id)
        self.log = get_logger("ws-gateway").bind(gateway=id)
        self.calls = CallLog(self.log, settings.log_calls)
        self.connections: dict[str, Connection] = {}
        self.draining = False
        self.reception = Reception(self)
        self._stations: set[Connection] = set()
        self._commands = Recent(_COMMANDS_REMEMBERED)
        self._gone = False
        self._empty = asyncio.Event()
        self._empty.set()

    # --- stations come ----------------------------------------------------------------------------------------------

    @property
    def sockets(self) -> int:
        """How many sockets are open, those of handshakes under way included."""
        return len(self._stations) + len(self.reception.arrivals)

    def count_sockets(self) -> None:
        """A socket opened or closed."""
        metrics.sockets.set(self.sockets)
        if self.sockets:
            self._empty.clear()
        else:
            self._empty.set()

    def let_in(self, arrival: Arrival, capsule: Capsule, version: Version) -> None:
        """Complete the handshake and hand the socket over; an older connection of the station ends."""
        wire, early = arrival.accept()
        connection = Connection(self, arrival.transport, wire, arrival.identity, arrival.asked, capsule, version)
        arrival.transport.set_protocol(connection)
        older = self.connections.get(arrival.identity)
        self.connections[arrival.identity] = connection
        self._stations.add(connection)
        self.reception.left(arrival)
        self.teller.connected(connection, arrival.peer)
        metrics.connections.set(len(self.connections))
        self.log.debug(
            "connected", station=arrival.identity, version=version.value, peer=arrival.peer, epoch=capsule.epoch
        )
        if older:
            older.close(1000, "A newer connection of this station is served")
        if early:
            connection.data_received(early)

    # --- from the bus -----------------------------------------------------------------------------------------------

    async def hear(self, batch: list[Envelope]) -> None:
        """Handles a batch for this gateway's stations; never waits."""
        for envelope in batch:
            match envelope.kind:
                case Kind.RESULT | Kind.ERROR:
                    if connection := self.connections.get(envelope.identity):
                        connection.answer(envelope)
                case Kind.CALL:
                    self._command(envelope)
                case Kind.ACCEPT | Kind.REFUSE:
                    self.reception.decided(envelope)
                case Kind.EVICT:
                    self._evict(envelope)
                case Kind.LEASE:
                    self._announce()
                case _:
                    self.log.warning("not for a gateway", kind=envelope.kind.value, station=envelope.identity)

    def _evict(self, envelope: Envelope) -> None:
        connection = self.connections.get(envelope.identity)
        if connection and envelope.session and connection.capsule.epoch <= envelope.session.epoch:
            metrics.evictions.inc()
            connection.close(1000, "The station is connected elsewhere")

    def _command(self, envelope: Envelope) -> None:
        # The bus delivers at least once, a command is executed at most once.
        if envelope.unique_id and self._commands.seen((envelope.identity, envelope.unique_id, envelope.attempt)):
            return metrics.repeated_commands.inc()
        if connection := self.connections.get(envelope.identity):
            metrics.commands_under_way.inc()
            connection.command(envelope)
        else:
            self._reply(envelope, Outcome.NOT_CONNECTED, "", "The station is not connected here.", Raw(b"{}"))

    def _announce(self) -> None:
        """Our lease had ended (a broker was away): the routers want to know what we hold."""
        if self.connections:
            self.log.warning("lease had ended; telling the routers again", stations=len(self.connections))
        for connection in self.connections.values():
            self.bus.send(
                ROUTER,
                Envelope(
                    Kind.RESUME,
                    connection.identity,
                    connection.capsule.account,
                    connection.version,
                    reply_to=self.address.name,
                    session=connection.capsule,
                ),
            )

    # --- from the connections ---------------------------------------------------------------------------------------

    def answered(self, connection: Connection, request: Raw, envelope: Envelope, seconds: float) -> None:
        """A station's CALL with the payload `request` got its answer after `seconds`."""
        outcome = envelope.error_code or "result"
        metrics.answered(connection.version, connection.asked_action, envelope.kind is Kind.RESULT, seconds)
        self.teller.answered(connection, request, envelope, seconds)
        if self.calls.take():
            self.log.info(
                connection.asked_action,
                **about(connection),
                id=envelope.unique_id,
                outcome=outcome,
                ms=round(seconds * 1000, 1),
                **where(envelope),
            )

    def unanswered(self, connection: Connection, unique_id: str, request: Raw, seconds: float) -> None:
        """Nobody answered a station's CALL in `seconds`; the station will repeat it."""
        metrics.unanswered.inc()
        self.teller.unanswered(connection, unique_id, request, seconds)
        if self.calls.take():
            told = {"action": connection.asked_action, "id": unique_id, "ms": round(seconds * 1000, 1)}
            self.log.warning("no answer in time", **about(connection), **told)

    def ended(self, connection: Connection, ended: CallEnded) -> None:
        """A command to a station is over: tell whoever sent it."""
        command, began = ended.context
        seconds = monotonic() - began
        metrics.commands_under_way.dec()
        metrics.command(connection.version, ended.action, ended.outcome, seconds)
        if self.calls.take():
            self.log.info(
                "command",
                **about(connection),
                action=ended.action[:50],
                id=ended.unique_id,
                outcome=ended.outcome.value,
                ms=round(seconds * 1000, 1),
                **where(command),
            )
        self._reply(command, ended.outcome, ended.code, ended.description, ended.payload)

    def _reply(self, command: Envelope, outcome: Outcome, code: str, description: str, payload: Raw) -> None:
        if command.reply_to:
            told = told_outcome(command, outcome, code, description, payload)
            self.bus.send(address_of(command.reply_to), told)

    def complained(self, connection: Connection, event: Complaint | AnswerRefused) -> None:
        """Something was wrong with a station's message."""
        if isinstance(event, AnswerRefused):
            kind, reason, rule = "answer-refused", f"{event.code}: {event.description}", ""
        else:
            kind, reason, rule = event.kind, event.reason, event.rule
        metrics.complaint(kind, connection.version, rule)
        if self.calls.take():
            told = {"action": event.action[:50], "id": event.unique_id[:36]}
            self.log.warning(kind, **about(connection), reason=reason, **told)

    def left(self, connection: Connection, reason: str) -> None:
        """A station's socket is gone."""
        self._stations.discard(connection)
        self.count_sockets()
        if self.connections.get(connection.identity) is connection:
            del self.connections[connection.identity]
            metrics.connections.set(len(self.connections))
        self.log.debug("disconnected", station=connection.identity, reason=reason, epoch=connection.capsule.epoch)
        self.teller.disconnected(connection, reason)
        self.release(connection.identity, connection.capsule)

    def release(self, identity: str, capsule: Capsule) -> None:
        """Tell the router that the connection with this epoch is over."""
        goodbye = Envelope(Kind.DISCONNECT, identity, capsule.account, reply_to=self.address.name, session=capsule)
        self.bus.send(ROUTER, goodbye)

    # --- time -------------------------------------------------------------------------------------------------------

    @staticmethod
    def spread() -> float:
        """A random part of an interval, so that what happens at once is not repeated at once."""
        return random.uniform(0.2, 1.0)

    async def tick(self) -> None:
        """Once a second, look at every connection."""
        while True:
            await asyncio.sleep(1)
            now = monotonic()
            for connection in list(self._stations):
                connection.tick(now)

    async def live(self) -> None:
        """Tell the routers that this gateway lives."""
        while not self._gone:
            self._lease(self.settings.lease)
            await asyncio.sleep(self.settings.lease_renewal)

    def _lease(self, seconds: float) -> None:
        lease = Envelope(
            Kind.LEASE,
            "",
            payload=Raw(_encode(Lease(seconds))),
            reply_to=self.address.name,
            deadline=int((time() + self.settings.lease) * 1000),
        )
        self.bus.send(ROUTER, lease)

    def congested(self, congested: bool) -> None:
        """The bus takes no more: stop reading from stations until it does."""
        for connection in list(self._stations):
            connection.congested(congested)

    # --- leaving ----------------------------------------------------------------------------------------------------

    async def drain(self) -> None:
        """Refuse newcomers, answer what was asked, and close every socket, a wave at a time."""
        settings, deadline = self.settings, monotonic() + self.settings.drain_seconds
        self.draining = True
        self.reception.drain()
        waiting = list(self._stations)
        random.shuffle(waiting)
        self.log.info("draining", connections=len(waiting))
        wave = max(settings.drain_wave, len(waiting) // _MOST_WAVES + 1)
        for start in range(0, len(waiting), wave):
            if start:
                await asyncio.sleep(settings.drain_pause * random.uniform(0.5, 1.5))
            for connection in waiting[start : start + wave]:
                connection.drain()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), max(0.1, deadline - monotonic()))
        for connection in list(self._stations):
            connection.abort()
        await asyncio.sleep(0)
        self._gone = True
        self._lease(0)
