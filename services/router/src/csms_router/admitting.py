"""What connections and the calls of stations without one have in common: who is let in, with which capsule, and what
becomes of the session that was there before.

The rules themselves are in `admission`; here they meet the stores.
"""

from collections.abc import Mapping

import msgspec

from csms_ocpp.errors import UNREADABLE
from csms_ocpp.version import StationId
from csms_platform.envelope import Capsule, ConnectRequest, Envelope, Refusal
from csms_platform.passwords import Verifier
from csms_platform.ports import Claim, Ports, SessionRecord, Station, gateway_address
from csms_router import admission, metrics
from csms_router.answers.common import ACCEPTED, REGISTRATION
from csms_router.backends import Backends
from csms_router.departures import Departures
from csms_router.presence import SOAP
from csms_router.replies import eviction
from csms_router.settings import Settings

_word = msgspec.json.Decoder(str).decode


class Admitting:
    """Lets stations in. One instance serves every batch, so that verified passwords are remembered once."""

    def __init__(self, ports: Ports, settings: Settings, departures: Departures) -> None:
        self._ports = ports
        self._settings = settings
        self._departures = departures
        self._backends = Backends(settings)
        self._verifier = Verifier(settings.password_cache)

    async def refusal(self, envelope: Envelope, station: Station | None, request: ConnectRequest) -> Refusal | None:
        """Why the station that `envelope` names is not let in; None: it is."""
        if station is None and self._settings.auth == "open":
            return None
        asked = admission.credentials(envelope.identity, station, request)
        if isinstance(asked, Refusal):
            return asked
        verified = asked is None or await self._verifier.verify(asked.stored, asked.password)
        if station is None:
            return admission.unknown()
        if not verified:
            return admission.wrong_credentials()
        return admission.forbidden(envelope.identity, envelope.account, station, request)

    async def open(self, claim: Claim) -> tuple[SessionRecord, SessionRecord | None]:
        """`claim` is the station's session from now on. Answers it, and the one it replaced, which has been ended."""
        session, replaced = await self._ports.sessions.open(claim)
        # A gateway closes its own older connection itself when it lets the newer one in. Telling it here would
        # close the only one there is, should the bus have delivered this CONNECT twice.
        if replaced is not None and replaced.gateway != claim.gateway:
            self._depose(replaced)
        return session, replaced

    async def capsule(self, session: SessionRecord, station: Station | None, notes: Mapping[str, bytes]) -> Capsule:
        """What a gateway is given for this session."""
        return Capsule(
            epoch=session.epoch,
            account=session.account,
            registration=registration(station, notes),
            policy=self._settings.auth,
            quirks=station.quirks if station else "",
            backlog=await self._backlog(session.identity, session.account),
        )

    def _depose(self, old: SessionRecord) -> None:
        if old.transport == SOAP:
            return self._departures.replaced(old)
        metrics.EVICTIONS.inc()
        self._ports.bus.send(gateway_address(old.gateway), eviction(old))

    async def _backlog(self, identity: StationId, account: str) -> bool:
        """Whether messages of the station wait for the operator's endpoint."""
        backends = self._backends
        return backends.webhook(account) and await self._ports.deliveries.pending(backends.lane(account, identity))


def account_of(envelope: Envelope, station: Station | None) -> str:
    """Whose station it is: the record's word wins."""
    return (station.account if station else "") or envelope.account


def registration(station: Station | None, notes: Mapping[str, bytes]) -> str:
    """What the last BootNotification was answered; an Accepted that the record has taken back is not."""
    try:
        last = _word(notes.get(REGISTRATION, b'""'))
    except UNREADABLE:
        return ""
    return station.registration if station and last == ACCEPTED else last
