"""Handshakes of one gateway: reads what each request asks for, applies this process's limits, and asks the router."""

import logging
from collections.abc import Sequence
from time import monotonic, time
from typing import TYPE_CHECKING

import msgspec
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from csms_ocpp.version import Version, select_subprotocol
from csms_platform.certificates import secured
from csms_platform.envelope import Capsule, Envelope, Kind, Raw, Refusal
from csms_platform.limits import FailureLimit
from csms_platform.ports import ROUTER
from csms_platform.proxies import Origin
from csms_ws_gateway import handshake, metrics
from csms_ws_gateway.arrival import Arrival

if TYPE_CHECKING:
    from csms_ws_gateway.service import Gateway

_encode = msgspec.json.Encoder().encode
_refusal = msgspec.json.Decoder(Refusal).decode
_wire_log = logging.getLogger("websockets.server")

_OVERLOADED = Refusal(503, "The central system is at its limit; try again later.", retry_after=30)
_DRAINING = Refusal(503, "The central system restarts; try again.", retry_after=5)
_SUPERSEDED = Refusal(503, "A newer connection of this station is served.", retry_after=5)
_NOBODY = 401, 403, 404


class Reception:
    """Stations on their way in. `arrivals` are those that are not decided, or not gone yet."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self.settings = gateway.settings
        self.arrivals: set[Arrival] = set()
        self._asking: dict[str, Arrival] = {}
        self._asked = 0
        self._failures = FailureLimit(self.settings.failed_handshakes_per_minute)
        self._extensions = [_deflate()] if self.settings.compression else None

    def arrive(self) -> Arrival:
        """The protocol for a new socket."""
        protocol = ServerProtocol(
            max_size=self.settings.max_message_size or None,
            extensions=self._extensions,
            select_subprotocol=_select_subprotocol,
            logger=_wire_log,
        )
        return Arrival(self, protocol)

    def entered(self, arrival: Arrival) -> None:
        """A socket opened."""
        self.arrivals.add(arrival)
        self._gateway.count_sockets()

    def left(self, arrival: Arrival) -> None:
        """An arrival is over: its socket is gone, or a connection has it now."""
        self.arrivals.discard(arrival)
        self._asking.pop(arrival.asked, None)
        self._gateway.count_sockets()

    def requested(self, arrival: Arrival, response: Response, request: Request) -> None:
        """A request was read, and `websockets` would answer it so: refuse it for what it is, or ask the router."""
        if response.status_code != 101:
            return arrival.refuse_with(response)
        settings = self.settings
        target = handshake.read_target(request.path, settings.path, settings.account_position == "prefix")
        if isinstance(target, Refusal):
            return arrival.refuse(target)
        arrival.identity, arrival.account = target.identity, target.account
        direct = Origin(arrival.peer, *secured(arrival.transport))
        origin = self._gateway.proxies.origin(direct, request.headers.get_all)
        arrival.peer = origin.peer
        if refusal := self._limit(arrival):
            return arrival.refuse(refusal)
        self._asked += 1
        arrival.ask(response, str(self._asked))
        self._asking[arrival.asked] = arrival
        wish = handshake.read_request(request.headers, peer=origin.peer, tls=origin.tls, subject=origin.subject)
        self._gateway.bus.send(
            ROUTER,
            Envelope(
                Kind.CONNECT,
                target.identity,
                target.account,
                unique_id=arrival.asked,
                payload=Raw(_encode(wish)),
                reply_to=self._gateway.address.name,
                deadline=int((time() + settings.handshake_deadline) * 1000),
            ),
        )

    def _limit(self, arrival: Arrival) -> Refusal | None:
        if self._gateway.draining:
            return _DRAINING
        if wait := self._failures.wait(_who(arrival), monotonic()):
            return Refusal(429, "Too many failed handshakes of this station from this address.", retry_after=wait)
        most = self.settings.max_connections
        if (most and self._gateway.sockets > most) or self._gateway.bus.congested:
            return _OVERLOADED
        return None

    def decided(self, envelope: Envelope) -> None:
        """The router's ACCEPT or REFUSE came."""
        arrival = self._asking.pop(envelope.unique_id, None)
        waiting = arrival is not None and not arrival.decided
        if envelope.kind is Kind.REFUSE:
            if arrival and waiting:
                self._refuse(arrival, _refusal(envelope.payload))
            return
        capsule = envelope.session or Capsule()
        if arrival is None or not waiting:
            return self._too_late(envelope, capsule)
        older = self._gateway.connections.get(arrival.identity)
        if older and older.capsule.epoch > capsule.epoch:
            return arrival.refuse(_SUPERSEDED)
        metrics.handshake(101)
        self._gateway.let_in(arrival, capsule, Version(envelope.version))

    def _too_late(self, envelope: Envelope, capsule: Capsule) -> None:
        """An ACCEPT that no arrival waits for."""
        connection = self._gateway.connections.get(envelope.identity)
        if connection and connection.handshake == envelope.unique_id:
            # The bus delivered our question twice: this is the same connection under a newer epoch.
            connection.capsule = capsule
        else:
            # The station did not wait for the decision: its session ends before it began.
            self._gateway.release(envelope.identity, capsule)

    def _refuse(self, arrival: Arrival, refusal: Refusal) -> None:
        if refusal.status == 400 and self.settings.subprotocol_mismatch == "close":
            arrival.complete_and_close(refusal)
        else:
            arrival.refuse(refusal)

    def refused(self, arrival: Arrival, refusal: Refusal) -> None:
        """A handshake ended in a refusal; told by the arrival."""
        metrics.handshake(refusal.status)
        if refusal.status in _NOBODY:
            self._failures.failed(_who(arrival), monotonic())
        self._gateway.log.warning(
            "refused", station=arrival.identity, status=refusal.status, reason=refusal.reason, peer=arrival.peer
        )

    def drain(self) -> None:
        """Refuse everybody who has not been let in."""
        for arrival in list(self.arrivals):
            arrival.refuse(_DRAINING)


def _who(arrival: Arrival) -> str:
    # Not the address alone: behind a proxy all stations share one, and a misconfigured one would lock out the others.
    return f"{arrival.peer} {arrival.identity}"


def _select_subprotocol(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    version = select_subprotocol(list(offered))
    return Subprotocol(version.value) if version else None


def _deflate() -> ServerPerMessageDeflateFactory:
    # OCPP-J 2.0.1 §3.1.4: "the CSMS SHALL support RFC 7692". Small windows: a context costs memory for every station.
    return ServerPerMessageDeflateFactory(
        server_max_window_bits=11, client_max_window_bits=11, compress_settings={"memLevel": 4}
    )
