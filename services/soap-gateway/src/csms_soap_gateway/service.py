"""The SOAP gateway: takes stations' calls over HTTP to the router and its answers back, and calls stations for it.

It keeps no connection and no store. Any gateway serves any station, and may be killed at any time: what was under way
is repeated by the stations, and what was asked of them ends uncertain.
"""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from csms_ocpp.soap import Service
from csms_ocpp.soap.codec import reader, writer
from csms_ocpp.soap.tables import tables
from csms_platform.envelope import Envelope, Kind
from csms_platform.ports import SOAP, GatewayId, Ports, gateway_address
from csms_soap_gateway.arrivals import MessageIds
from csms_soap_gateway.asking import Asking
from csms_soap_gateway.calls import Calls
from csms_soap_gateway.capsules import Capsules
from csms_soap_gateway.endpoint import Endpoint
from csms_soap_gateway.reception import VERSIONS, Reception
from csms_soap_gateway.settings import Settings
from csms_soap_gateway.telling import Teller

_FLUSH_SECONDS = 5.0


@asynccontextmanager
async def service(ports: Ports, settings: Settings, *, listen_host: str = "127.0.0.1") -> AsyncIterator[None]:
    """Serve SOAP stations while inside; leaving answers what was asked and ends what they were asked.

    `listen_host` is where the process listens: it says whether stations may be in private networks when
    `settings.private_networks` does not.
    """
    compile_codecs()
    gateway = Gateway(ports, settings, GatewayId(uuid4().hex[:12]), may_be_private(settings, listen_host))
    await ports.bus.subscribe(gateway.address, gateway.hear)
    await ports.bus.subscribe(SOAP, gateway.calls.hear)
    ports.serve(gateway.endpoint, settings.path)
    try:
        yield
    finally:
        await gateway.leave()


class Gateway:
    """Both halves of one process: the endpoint for stations, and the calls to them."""

    def __init__(self, ports: Ports, settings: Settings, id: GatewayId, private_networks: bool) -> None:
        self._bus = ports.bus
        self._settings = settings
        self._teller = Teller(ports.events, id, settings.log_calls)
        self.address = gateway_address(id)
        ids, capsules = MessageIds(id), Capsules(settings.stations_remembered)
        self._asking = Asking(ports.bus, self.address, capsules, settings.call_deadline)
        reception = Reception(settings.validation, capsules, ids, self._teller)
        self.endpoint = Endpoint(ports.bus, settings, reception, self._asking, ids, self._teller)
        self.calls = Calls(ports.bus, settings, private_networks=private_networks, gateway=id)

    async def hear(self, batch: list[Envelope]) -> None:
        """Answers to stations' calls; never waits."""
        for envelope in batch:
            if envelope.kind in (Kind.RESULT, Kind.ERROR, Kind.REFUSE):
                self._asking.hear(envelope)
            else:
                kind = envelope.kind.value
                self._teller.log.warning("not for a SOAP gateway", kind=kind, station=envelope.identity)

    async def leave(self) -> None:
        """Take nothing new, finish both halves, and go."""
        seconds = self._settings.drain_seconds
        # First, so that commands go to the gateways that stay.
        await self._bus.unsubscribe(SOAP)
        await asyncio.gather(self.endpoint.drain(seconds), self.calls.close(seconds))
        # Without a broker the last outcomes cannot be told; whoever waits for them finds out by himself.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._bus.flush(), _FLUSH_SECONDS)
        await self._bus.unsubscribe(self.address)


def compile_codecs() -> None:
    """Make every reader and writer now, and not while the first station waits."""
    for version in VERSIONS:
        for service in Service:
            for action in tables(version, service).operations:
                for suffix in ("Request", "Response"):
                    reader(version, service, action + suffix)
                    writer(version, service, action + suffix)


def may_be_private(settings: Settings, listen_host: str) -> bool:
    """Whether stations may be called in private networks: as the operator says, or where only this machine calls us."""
    if settings.private_networks is not None:
        return settings.private_networks
    try:
        return ipaddress.ip_address(listen_host).is_loopback
    except ValueError:
        return listen_host == "localhost"
