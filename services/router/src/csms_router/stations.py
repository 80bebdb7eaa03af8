"""Connections of charging stations: CONNECT is answered with ACCEPT or REFUSE, DISCONNECT ends the session.

The newest authenticated connection is the station's session; the gateway of the one it replaced is told to EVICT it.
Whatever comes late names an epoch, and changes nothing when that epoch is over. Commands that waited for the station
are sent behind the ACCEPT, unless it must boot first.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from csms_ocpp.version import StationId
from csms_platform.envelope import EMPTY, Capsule, ConnectRequest, Envelope, Kind, Refusal
from csms_platform.logging import get_logger
from csms_platform.ports import Claim, GatewayId, Note, Ports, Unavailable
from csms_platform.times import iso_8601
from csms_router import admission, metrics
from csms_router.admitting import Admitting, account_of
from csms_router.answers.common import ACCEPTED
from csms_router.desk import Release
from csms_router.patience import patiently, until
from csms_router.replies import address, gateway_of, json
from csms_router.settings import Settings

SEEN = "seen"

_log = get_logger("router")
_request = msgspec.json.Decoder(ConnectRequest).decode


class Reception:
    """Lets stations in and out. One instance serves every batch. `release` is called when a station may be asked."""

    def __init__(
        self, ports: Ports, settings: Settings, now: Callable[[], float], admitting: Admitting, release: Release
    ) -> None:
        self._ports = ports
        self._settings = settings
        self._now = now
        self._admitting = admitting
        self._release = release

    async def connect(self, envelope: Envelope) -> None:
        """Answer CONNECT; not at all when the store stays away longer than anybody waits."""
        gateway = gateway_of(envelope)
        if gateway is None:
            metrics.UNEXPECTED.inc()
            return
        try:
            request = _request(envelope.payload)
            reply = await patiently(
                lambda: self._decide(envelope, gateway, request), until=self._until(envelope), clock=self._now
            )
        except msgspec.MsgspecError as error:
            metrics.UNEXPECTED.inc()
            _log.warning("unreadable connect", station=envelope.identity, reason=str(error))
        except Unavailable:
            metrics.CONNECTS.labels("unanswered").inc()
        else:
            self._ports.bus.send(address(envelope.reply_to), reply)
            if reply.kind is Kind.ACCEPT:
                await self._arrived(envelope, reply.session)

    async def disconnect(self, envelope: Envelope) -> None:
        """End the session if it is still the one that the envelope's capsule names."""
        if envelope.session is None:
            metrics.UNEXPECTED.inc()
            return
        identity, epoch = StationId(envelope.identity), envelope.session.epoch
        try:
            current = await patiently(
                lambda: self._ports.sessions.release(identity, epoch), until=self._until(envelope), clock=self._now
            )
        except Unavailable:
            # The session stays until its gateway's lease ends, or the station's next connection replaces it.
            _log.warning("cannot release", station=identity, epoch=epoch)
            return
        if current:
            metrics.DISCONNECTS.labels("closed").inc()
            _log.info("disconnected", station=identity, reason=envelope.error_description or "closed", epoch=epoch)
            await self._note_seen(envelope)

    async def _arrived(self, envelope: Envelope, capsule: Capsule | None) -> None:
        if capsule is not None and (capsule.registration == ACCEPTED or not self._settings.boot_required):
            await self._release(StationId(envelope.identity))
        await self._note_seen(envelope)

    async def _note_seen(self, envelope: Envelope) -> None:
        note = seen(envelope.identity, self._now())
        try:
            await patiently(lambda: self._ports.stations.note([note]), until=self._until(envelope), clock=self._now)
        except Unavailable:
            metrics.NOTES_LOST.inc()

    def _until(self, envelope: Envelope) -> float:
        return until(envelope, self._now(), self._settings.patience)

    async def _decide(self, envelope: Envelope, gateway: GatewayId, request: ConnectRequest) -> Envelope:
        identity = StationId(envelope.identity)
        station = await self._ports.stations.get(identity)
        refusal = await self._admitting.refusal(envelope, station, request)
        version = refusal or admission.version(station, request)
        if isinstance(version, Refusal):
            return self._refuse(envelope, request, version)
        account = account_of(envelope, station)
        claim = Claim(identity, gateway, account=account, version=version, peer=request.peer)
        session, _ = await self._admitting.open(claim)
        capsule = await self._admitting.capsule(session, station, await self._ports.stations.recall(identity))
        metrics.CONNECTS.labels("accepted").inc()
        _log.info("connected", station=identity, version=version, peer=request.peer, epoch=session.epoch)
        return _reply(envelope, Kind.ACCEPT, account=account, version=version, session=capsule)

    def _refuse(self, envelope: Envelope, request: ConnectRequest, refusal: Refusal) -> Envelope:
        metrics.CONNECTS.labels(str(refusal.status)).inc()
        # At debug: the gateway's own line says what the peer was told.
        _log.debug(
            "refused", station=envelope.identity, status=refusal.status, reason=refusal.reason, peer=request.peer
        )
        return _reply(envelope, Kind.REFUSE, payload=json(refusal))


def seen(identity: str, now: float) -> Note:
    """That the station was there at `now`, in seconds since 1970."""
    return Note(identity, SEEN, b'"%b"' % iso_8601(now).encode())


def _reply(envelope: Envelope, kind: Kind, **changes: Any) -> Envelope:
    return replace(envelope, **{"kind": kind, "payload": EMPTY, "reply_to": "", **changes})
