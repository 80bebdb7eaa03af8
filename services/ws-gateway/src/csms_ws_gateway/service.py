"""The WebSocket gateway: lets stations in on the router's word, carries messages both ways, leaves in good order.

It keeps sockets and nothing else: no decision, no store. A gateway may be killed at any time; its stations reconnect
to another one, and its lease tells the routers that it is gone.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic, time
from uuid import uuid4

import msgspec
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from csms_ocpp.session import AnswerRefused, CallEnded, Complaint, Outcome
from csms_ocpp.version import Version, select_subprotocol
from csms_platform.envelope import Capsule, Envelope, Kind, Lease, Raw, Refusal
from csms_platform.logging import CallLog, get_logger
from csms_platform.ports import ROUTER, GatewayId, Ports, address_of, gateway_address
from csms_ws_gateway import handshake, metrics
from csms_ws_gateway.connection import Connection, Pause
from csms_ws_gateway.limits import FailureLimit
from csms_ws_gateway.settings import Settings

_encode = msgspec.json.Encoder().encode
_refusal = msgspec.json.Decoder(Refusal).decode

_MOST_WAVES = 20  # however many stations there are, leaving must end before the process is killed

_OVERLOADED = Refusal(503, "The central system is at its limit; try again later.", retry_after=30)
_DRAINING = Refusal(503, "The central system restarts; try again.", retry_after=5)


@asynccontextmanager
async def service(ports: Ports, settings: Settings) -> AsyncIterator[None]:
    """Serve stations while inside; leaving answers what was asked, closes every socket, and says goodbye to the bus."""
    gateway = Gateway(ports, settings, GatewayId(uuid4().hex[:12]))
    await ports.bus.subscribe(gateway.address, gateway.hear)
    ports.bus.on_congestion(gateway.congested)
    ports.mount(settings.path, gateway.connect)
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


class Gateway:
    """All connections of this process. `connections` holds the accepted ones by identity, the newest each."""

    def __init__(self, ports: Ports, settings: Settings, id: GatewayId) -> None:
        self.bus = ports.bus
        self.settings = settings
        self.address = gateway_address(id)
        self.log = get_logger("ws-gateway").bind(gateway=id)
        self.calls = CallLog(self.log, settings.log_calls)
        self.wire_log = logging.getLogger("websockets.server")
        self.connections: dict[str, Connection] = {}
        self.extensions = [_deflate()] if settings.compression else None
        self.draining = False
        self._everyone: set[Connection] = set()
        self._asking: dict[str, Connection] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self._handshakes = 0
        self._failures = FailureLimit(settings.failed_handshakes_per_minute)

    # --- handshakes -------------------------------------------------------------------------------------------------

    def connect(self) -> Connection:
        """The protocol for a new socket."""
        return Connection(self)

    def entered(self, connection: Connection) -> None:
        """A socket opened."""
        self._everyone.add(connection)
        self._empty.clear()
        metrics.sockets.set(len(self._everyone))

    @staticmethod
    def select_subprotocol(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        """Called by `websockets`: the station's first one that we speak."""
        version = select_subprotocol(list(offered))
        return Subprotocol(version.value) if version else None

    def requested(self, connection: Connection, request: Request) -> None:
        """A handshake request was read: refuse it for what it is, or ask the router."""
        response = connection.protocol.accept(request)
        if response.status_code != 101:
            return connection.refuse_with(response)
        settings = self.settings
        target = handshake.read_target(request.path, settings.path, settings.account_position == "prefix")
        if isinstance(target, Refusal):
            return connection.refuse(target)
        connection.identity, connection.account = target.identity, target.account
        if refusal := self._limit(connection):
            return connection.refuse(refusal)
        self._handshakes += 1
        handshake_id = str(self._handshakes)
        connection.ask(response, handshake_id)
        self._asking[handshake_id] = connection
        tls, subject = _tls(connection)
        wish = handshake.read_request(request.headers, peer=connection.peer, tls=tls, subject=subject)
        self.bus.send(
            ROUTER,
            Envelope(
                Kind.CONNECT,
                target.identity,
                target.account,
                unique_id=handshake_id,
                payload=Raw(_encode(wish)),
                reply_to=self.address.name,
                deadline=_in(settings.handshake_deadline),
            ),
        )

    def _limit(self, connection: Connection) -> Refusal | None:
        if self.draining:
            return _DRAINING
        if wait := self._failures.wait(connection.peer, monotonic()):
            return Refusal(429, "Too many failed handshakes from this address.", retry_after=wait)
        most = self.settings.max_connections
        if (most and len(self._everyone) > most) or self.bus.congested:
            return _OVERLOADED
        return None

    def refused(self, connection: Connection, refusal: Refusal) -> None:
        """A handshake ended in a refusal; told by the connection."""
        metrics.handshake(refusal.status)
        if refusal.status in (401, 403, 404):
            self._failures.failed(connection.peer, monotonic())
        self.log.warning(
            "refused", station=connection.identity, status=refusal.status, reason=refusal.reason, peer=connection.peer
        )

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
                    self._decided(envelope)
                case Kind.EVICT:
                    self._evict(envelope)
                case Kind.LEASE:
                    self._announce()
                case _:
                    self.log.warning("not for a gateway", kind=envelope.kind.value, station=envelope.identity)

    def _decided(self, envelope: Envelope) -> None:
        connection = self._asking.pop(envelope.unique_id, None)
        if envelope.kind is Kind.REFUSE:
            if connection and connection.response:
                self._refuse(connection, _refusal(envelope.payload))
            return
        capsule = envelope.session or Capsule()
        if connection is None or connection.response is None:
            # The station did not wait for the decision: its session ends before it began.
            return self._release(envelope.identity, capsule)
        older = self.connections.get(connection.identity)
        if older and older.capsule and older.capsule.epoch > capsule.epoch:
            connection.refuse(Refusal(503, "A newer connection of this station is served.", retry_after=5))
            return
        self.connections[connection.identity] = connection
        if older:
            older.close(1000, "A newer connection of this station is served")
        connection.accept(capsule, Version(envelope.version))
        metrics.handshake(101)
        metrics.connections.set(len(self.connections))
        self.log.debug(
            "connected",
            station=connection.identity,
            version=envelope.version,
            peer=connection.peer,
            epoch=capsule.epoch,
        )

    def _refuse(self, connection: Connection, refusal: Refusal) -> None:
        if refusal.status == 400 and self.settings.subprotocol_mismatch == "close":
            connection.complete_and_close(refusal)
        else:
            connection.refuse(refusal)

    def _evict(self, envelope: Envelope) -> None:
        connection = self.connections.get(envelope.identity)
        if (
            connection
            and connection.capsule
            and envelope.session
            and connection.capsule.epoch <= envelope.session.epoch
        ):
            metrics.evictions.inc()
            connection.close(1000, "The station is connected elsewhere")

    def _command(self, envelope: Envelope) -> None:
        if connection := self.connections.get(envelope.identity):
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
                    connection.account,
                    connection.version,
                    reply_to=self.address.name,
                    session=connection.capsule,
                ),
            )

    # --- from the connections ---------------------------------------------------------------------------------------

    def answered(self, connection: Connection, envelope: Envelope, seconds: float) -> None:
        """A station's CALL got its answer after `seconds`."""
        outcome = envelope.error_code or "result"
        metrics.answered(connection.version, connection.asked_action, envelope.kind is Kind.RESULT, seconds)
        if self.calls.take():
            self.log.info(
                connection.asked_action,
                station=connection.identity,
                id=envelope.unique_id,
                outcome=outcome,
                ms=round(seconds * 1000, 1),
            )

    def unanswered(self, connection: Connection) -> None:
        """Nobody answered a station's CALL in time; the station will repeat it."""
        metrics.unanswered.inc()
        self.log.warning("no answer in time", station=connection.identity, action=connection.asked_action)

    def ended(self, connection: Connection, ended: CallEnded) -> None:
        """A command to a station is over: tell whoever sent it."""
        metrics.command(connection.version, ended.action, ended.outcome)
        self.log.info(
            "command", station=connection.identity, action=ended.action, id=ended.unique_id, outcome=ended.outcome.value
        )
        code = ended.code or ("" if ended.outcome is Outcome.RESULT else ended.outcome.value)
        self._reply(ended.context, ended.outcome, code, ended.description, ended.payload)

    def _reply(self, command: Envelope, outcome: Outcome, code: str, description: str, payload: Raw) -> None:
        if not command.reply_to:
            return
        self.bus.send(
            address_of(command.reply_to),
            Envelope(
                Kind.RESULT if outcome is Outcome.RESULT else Kind.ERROR,
                command.identity,
                command.account,
                command.version,
                unique_id=command.unique_id,
                action=command.action,
                payload=payload,
                error_code=code or ("" if outcome is Outcome.RESULT else outcome.value),
                error_description=description,
                outcome=outcome.value,
                traceparent=command.traceparent,
            ),
        )

    def complained(self, connection: Connection, event: Complaint | AnswerRefused) -> None:
        """Something was wrong with a station's message."""
        if isinstance(event, AnswerRefused):
            kind, reason, action = "answer-refused", f"{event.code}: {event.description}", ""
        else:
            kind, reason, action = event.kind, event.reason, event.action
        metrics.complaint(kind)
        if self.calls.take():
            self.log.warning(
                kind, station=connection.identity, reason=reason, action=action[:50], id=event.unique_id[:36]
            )

    def left(self, connection: Connection) -> None:
        """A socket is gone."""
        self._everyone.discard(connection)
        self._asking.pop(connection.handshake, None)
        if not self._everyone:
            self._empty.set()
        metrics.sockets.set(len(self._everyone))
        if connection.capsule is None:
            return
        if self.connections.get(connection.identity) is connection:
            del self.connections[connection.identity]
            metrics.connections.set(len(self.connections))
        self.log.debug("disconnected", station=connection.identity, epoch=connection.capsule.epoch)
        self._release(connection.identity, connection.capsule)

    def _release(self, identity: str, capsule: Capsule) -> None:
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
            for connection in list(self._everyone):
                connection.tick(now)

    async def live(self) -> None:
        """Tell the routers that this gateway lives."""
        while not self.draining:
            self._lease(self.settings.lease)
            await asyncio.sleep(self.settings.lease_renewal)

    def _lease(self, seconds: float) -> None:
        lease = Envelope(
            Kind.LEASE,
            "",
            payload=Raw(_encode(Lease(seconds))),
            reply_to=self.address.name,
            deadline=_in(self.settings.lease),
        )
        self.bus.send(ROUTER, lease)

    def congested(self, congested: bool) -> None:
        """The bus takes no more: stop reading from stations until it does."""
        for connection in self._everyone:
            if congested:
                connection.pause(Pause.CONGESTION)
            else:
                connection.resume(Pause.CONGESTION)

    # --- leaving ----------------------------------------------------------------------------------------------------

    async def drain(self) -> None:
        """Refuse newcomers, answer what was asked, and close every socket, a wave at a time."""
        self.draining = True
        waiting = list(self._everyone)
        random.shuffle(waiting)
        self.log.info("draining", connections=len(waiting))
        wave = max(self.settings.drain_wave, len(waiting) // _MOST_WAVES + 1)
        for start in range(0, len(waiting), wave):
            if start:
                await asyncio.sleep(self.settings.drain_pause * random.uniform(0.5, 1.5))
            for connection in waiting[start : start + wave]:
                connection.drain()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), self.settings.call_deadline + self.settings.close_deadline)
        for connection in list(self._everyone):
            connection.abort()
        await asyncio.sleep(0)
        self._lease(0)


def _deflate() -> ServerPerMessageDeflateFactory:
    # OCPP-J 2.0.1 §3.1.4: "the CSMS SHALL support RFC 7692". Small windows: a context costs memory for every station.
    return ServerPerMessageDeflateFactory(
        server_max_window_bits=11, client_max_window_bits=11, compress_settings={"memLevel": 4}
    )


def _tls(connection: Connection) -> tuple[bool, str]:
    """Whether the socket is TLS, and the common name of the verified client certificate."""
    if connection.transport.get_extra_info("ssl_object") is None:
        return False, ""
    certificate = connection.transport.get_extra_info("peercert") or {}
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return True, names[-1] if names else ""


def _in(seconds: float) -> int:
    """That many seconds from now, in milliseconds since 1970."""
    return int((time() + seconds) * 1000)
