"""Gateways say that they live (LEASE), and what they hold (RESUME) when a broker's or a store's absence made them dead.

A gateway whose lease had ended may have lost its sessions to the sweeper while its sockets stayed open: it is told so,
and names its connections again. Those that the station has replaced since are evicted.
"""

from collections.abc import Callable

import msgspec

from csms_ocpp.version import StationId
from csms_platform.envelope import Envelope, Kind, Lease
from csms_platform.logging import get_logger
from csms_platform.ports import Claim, GatewayId, Ports, Unavailable
from csms_router import metrics
from csms_router.patience import patiently, until
from csms_router.replies import address, gateway_of
from csms_router.settings import Settings

_log = get_logger("router")
_lease = msgspec.json.Decoder(Lease).decode


class Leases:
    """Keeps gateways alive. One instance serves every batch."""

    def __init__(self, ports: Ports, settings: Settings, now: Callable[[], float]) -> None:
        self._ports = ports
        self._settings = settings
        self._now = now

    async def lease(self, envelope: Envelope) -> None:
        """Renew or end the lease; answers LEASE when an earlier one had ended."""
        gateway = gateway_of(envelope)
        try:
            seconds = _lease(envelope.payload).seconds
        except msgspec.MsgspecError:
            gateway = None
        if gateway is None:
            metrics.UNEXPECTED.inc()
            return
        try:
            lived = await patiently(lambda: self._renew(gateway, seconds), until=self._until(envelope), clock=self._now)
        except Unavailable:
            _log.warning("cannot renew lease", gateway=gateway)
            return
        if not lived:
            self._ports.bus.send(address(envelope.reply_to), Envelope(Kind.LEASE, ""))

    async def resume(self, envelope: Envelope) -> None:
        """Restore the session that the capsule names; answers EVICT when the station has a newer one."""
        gateway, session = gateway_of(envelope), envelope.session
        if gateway is None or session is None:
            metrics.UNEXPECTED.inc()
            return
        claim = Claim(StationId(envelope.identity), gateway, account=session.account, version=envelope.version)
        try:
            resumed = await patiently(
                lambda: self._ports.sessions.resume(claim, session.epoch),
                until=self._until(envelope),
                clock=self._now,
            )
        except Unavailable:
            _log.warning("cannot resume", station=envelope.identity, gateway=gateway, epoch=session.epoch)
            return
        metrics.RESUMES.labels("resumed" if resumed else "evicted").inc()
        if not resumed:
            eviction = Envelope(Kind.EVICT, envelope.identity, version=envelope.version, session=session)
            self._ports.bus.send(address(envelope.reply_to), eviction)

    async def _renew(self, gateway: GatewayId, seconds: float) -> bool:
        if seconds > 0:
            return await self._ports.sessions.renew(gateway, seconds)
        await self._ports.sessions.retire(gateway)
        return True

    def _until(self, envelope: Envelope) -> float:
        return until(envelope, self._now(), self._settings.patience)
