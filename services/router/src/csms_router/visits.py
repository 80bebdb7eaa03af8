"""Stations without a connection (SOAP): each of their CALLs comes with its `arrival`, and is a visit.

The station is let in by the rules of a connection, its session is opened or renewed, and then its CALL is answered as
any other. The answer's capsule lets the gateway do without an arrival for a while. As no gateway holds the session, it
is told from here that one began.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple
from uuid import uuid4

from msgspec.structs import replace

from csms_ocpp.version import StationId, Version
from csms_platform.envelope import ConnectRequest, Envelope, Kind, Refusal
from csms_platform.logging import get_logger
from csms_platform.ports import (
    Claim,
    Event,
    Note,
    Ports,
    SessionRecord,
    Station,
    Unavailable,
    event_key,
    without_connection,
)
from csms_platform.times import iso_8601
from csms_router import callbacks, metrics, presence
from csms_router.admitting import Admitting, account_of
from csms_router.answering import Job
from csms_router.answers.common import ACCEPTED
from csms_router.departures import Departures
from csms_router.desk import Desk, Release
from csms_router.patience import patiently, until
from csms_router.presence import SOAP
from csms_router.replies import address, gateway_of, refuse
from csms_router.settings import Settings
from csms_router.stations import seen

_log = get_logger("router")
_NAME = "connected"
_BOOT = "BootNotification"
_VERSIONS = frozenset({Version.V1_5.value, Version.V1_6.value})


class Door(NamedTuple):
    """What a visit passes besides the stores. `release` is called when the station may be asked."""

    admitting: Admitting
    departures: Departures
    release: Release


class _Known(NamedTuple):
    """What the stores know about a visitor."""

    station: Station | None
    notes: Mapping[str, bytes]
    live: SessionRecord | None


class Visits:
    """Lets visitors in, and has them answered by `answer` (as `Answering.answer`). One instance serves every batch."""

    def __init__(
        self,
        ports: Ports,
        settings: Settings,
        now: Callable[[], float],
        door: Door,
        answer: Callable[[list[Envelope], Desk], list[Job]],
    ) -> None:
        self._ports = ports
        self._settings = settings
        self._now = now
        self._admitting, self._departures, self._release = door
        self._answer = answer

    async def visit(self, call: Envelope) -> None:
        """Answer a CALL with `arrival`, or REFUSE; not at all when the store stays away longer than anybody waits."""
        request = call.arrival
        if request is None or call.kind is not Kind.CALL or call.version not in _VERSIONS or gateway_of(call) is None:
            return metrics.UNEXPECTED.inc()
        latest = until(call, self._now(), self._settings.patience)
        try:
            decided = await patiently(lambda: self._decide(call, request), until=latest, clock=self._now)
        except Unavailable:
            return metrics.VISITS.labels(metrics.UNANSWERED).inc()
        if isinstance(decided, Refusal):
            return self._refuse(call, request, decided)
        await self._serve(*decided)

    async def _decide(self, call: Envelope, request: ConnectRequest) -> tuple[Envelope, list[Note]] | Refusal:
        """The CALL with the capsule of its session, and what is to be noted about the station."""
        known = await self._known(StationId(call.identity))
        if refusal := await self._admitting.refusal(call, known.station, request):
            return refusal
        claim, interval = _claim(call, request, known), presence.noted(known.notes)
        session = await self._session(claim, known.live, presence.lease(self._settings, interval))
        capsule = await self._admitting.capsule(session, known.station, known.notes)
        fresh = presence.fresh_until(self._settings, capsule.registration == ACCEPTED, interval, self._now())
        admitted = replace(call, account=claim.account, arrival=None, session=replace(capsule, fresh_until=fresh))
        return admitted, [seen(call.identity, self._now()), *callbacks.news(call.identity, request, known.notes)]

    async def _known(self, identity: StationId) -> _Known:
        stations = self._ports.stations
        return _Known(
            *await asyncio.gather(stations.get(identity), stations.recall(identity), self._ports.sessions.get(identity))
        )

    async def _session(self, claim: Claim, live: SessionRecord | None, seconds: float) -> SessionRecord:
        # The lease first: without one the new session would be swept away at once.
        lived = await self._ports.sessions.renew(claim.gateway, seconds)
        if live is not None and lived and _goes_on(live, claim) and live.callback == claim.callback:
            metrics.VISITS.labels("renewed").inc()
            return live
        session, replaced = await self._admitting.open(claim)
        metrics.VISITS.labels("opened").inc()
        if replaced is not None and replaced.gateway != claim.gateway:
            # A connection that came between the two has ended the lease.
            await self._ports.sessions.renew(claim.gateway, seconds)
        # Only the store knows who was first when a station calls two routers at once, and whether a sweep has
        # told of its silence: what it replaced decides.
        if replaced is None or not _goes_on(replaced, session):
            if replaced is not None and replaced.gateway == claim.gateway:
                self._departures.replaced(replaced)
            self._tell(session)
        return session

    async def _serve(self, call: Envelope, notes: list[Note]) -> None:
        ports = self._ports
        desk = Desk(self._now, self._settings, ports.stations, ports.tags, ports.transactions)
        desk.notes += notes
        await asyncio.gather(*self._answer([call], desk))
        # What follows from a boot is not known before it was answered: `booted` does it.
        accepted = call.session is not None and call.session.registration == ACCEPTED
        if not self._settings.boot_required or (accepted and call.action != _BOOT):
            await self._release(StationId(call.identity))

    def _refuse(self, call: Envelope, request: ConnectRequest, refusal: Refusal) -> None:
        metrics.VISITS.labels(str(refusal.status)).inc()
        # At debug: the gateway's own line says what the peer was told.
        _log.debug("refused", station=call.identity, status=refusal.status, reason=refusal.reason, peer=request.peer)
        self._ports.bus.send(address(call.reply_to), refuse(call, refusal))

    def _tell(self, session: SessionRecord) -> None:
        _log.info(_NAME, station=session.identity, version=session.version, peer=session.peer, epoch=session.epoch)
        key = event_key(session.version, _NAME)
        if self._ports.events.wanted(key):
            self._ports.events.emit(key, _event(session, self._now()))


def _claim(call: Envelope, request: ConnectRequest, known: _Known) -> Claim:
    identity = StationId(call.identity)
    return Claim(
        identity,
        without_connection(identity),
        account=account_of(call, known.station),
        version=call.version,
        peer=request.peer,
        transport=SOAP,
        callback=callbacks.callback(request, known.notes, known.station, known.live),
    )


def _goes_on(old: SessionRecord, new: Claim | SessionRecord) -> bool:
    """Whether nothing has changed but the callback and the peer, which may be another with every connection."""
    return (old.gateway, old.account, old.version) == (new.gateway, new.account, new.version)


def _event(session: SessionRecord, now: float) -> Event:
    return Event(
        id=uuid4().hex,
        time=iso_8601(now),
        type=_NAME,
        identity=session.identity,
        account=session.account,
        version=session.version,
        transport=SOAP,
        epoch=session.epoch,
        peer=session.peer,
    )
