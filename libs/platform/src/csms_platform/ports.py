"""The doors between services and the outside: the bus, the stores, and what a service is.

Services see nothing else of the platform's machinery. Every port has one contract suite in `tests/contract`, which each
adapter passes, so a service tested on memory can be believed on RabbitMQ and Redis.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from csms_ocpp.version import StationId
from csms_platform.envelope import Envelope
from csms_platform.errands import (
    MAIN_ENDPOINT,
    MOST_WAITING,
    Command,
    Commands,
    DeadLetter,
    Deliveries,
    Waiter,
    lane,
)
from csms_platform.outside import Event, Events, Following, Letter, Order, Orders, Spool, event_key
from csms_platform.proxies import NO_PROXIES, Proxies
from csms_platform.stores import (
    Claim,
    GatewayId,
    Note,
    SessionRecord,
    Sessions,
    Station,
    Stations,
    Tag,
    Tags,
    Transaction,
    Transactions,
    Unavailable,
)

__all__ = [
    "MAIN_ENDPOINT",
    "MOST_WAITING",
    "ROUTER",
    "SOAP",
    "WEBHOOK",
    "Address",
    "AsgiApp",
    "BatchHandler",
    "Bus",
    "Claim",
    "Command",
    "Commands",
    "DeadLetter",
    "Deliveries",
    "Event",
    "Events",
    "Following",
    "GatewayId",
    "Letter",
    "Note",
    "Order",
    "Orders",
    "Ports",
    "ProtocolFactory",
    "ReturnHandler",
    "Service",
    "SessionRecord",
    "Sessions",
    "Spool",
    "Station",
    "Stations",
    "Tag",
    "Tags",
    "Transaction",
    "Transactions",
    "Unavailable",
    "Waiter",
    "address_of",
    "api_address",
    "event_key",
    "gateway_address",
    "lane",
    "without_connection",
]


class Address(msgspec.Struct, frozen=True, gc=False):
    """Where envelopes go: a shared address is a work queue, a private one belongs to one process and dies with it.

    `once`: what is sent here is delivered at most once. It counts as delivered when it leaves the broker, and is lost
    with the process that had it.
    """

    name: str
    shared: bool = False
    once: bool = False


ROUTER = Address("ocpp.router", shared=True)
WEBHOOK = Address("ocpp.webhook", shared=True)
SOAP = Address("ocpp.soap", shared=True, once=True)
_SHARED = {address.name: address for address in (ROUTER, WEBHOOK, SOAP)}
_GATEWAY_PREFIX = "ocpp.gateway."
_WITHOUT_CONNECTION = "soap/"


def without_connection(identity: StationId) -> GatewayId:
    """What stands for the gateway of a station that holds no connection: its session has a lease of its own, which
    lasts as long as the station counts as online after it was heard of."""
    return GatewayId(_WITHOUT_CONNECTION + identity)


def gateway_address(gateway: GatewayId) -> Address:
    """Where answers and commands for the stations of this gateway process go; for a station that holds no connection
    any SOAP gateway will do."""
    return SOAP if gateway.startswith(_WITHOUT_CONNECTION) else Address(_GATEWAY_PREFIX + gateway)


def api_address(process: str) -> Address:
    """Where the outcomes of commands go that this API process waits for."""
    return Address("ocpp.api." + process)


def address_of(name: str) -> Address:
    """The address with this name, as an envelope's `reply_to` holds it."""
    return _SHARED.get(name) or Address(name)


BatchHandler = Callable[[list[Envelope]], Awaitable[None]]
ReturnHandler = Callable[[Address, list[Envelope]], None]


class Bus(Protocol):
    """Carries envelopes between services: at least once, in order per sender and destination."""

    def send(self, address: Address, envelope: Envelope) -> None:
        """Hand over one envelope. Never waits and never fails: it joins the destination's next batch.

        While the broker is away envelopes gather, up to a limit; see `congested`. Expired ones are dropped.
        """
        ...

    async def subscribe(self, address: Address, handler: BatchHandler) -> None:
        """Call `handler` with every batch that arrives at `address`, from now until `unsubscribe` or close.

        Several batches may be in the handler at once. A batch is acknowledged when the handler returns; when it
        raises, the batch is dropped, logged and counted (a handler that wants a retry waits and retries itself).
        """
        ...

    async def unsubscribe(self, address: Address) -> None:
        """Take no new batches from `address`, and wait until the handlers under way have returned."""
        ...

    def on_return(self, handler: ReturnHandler) -> None:
        """Call `handler` with envelopes whose private address nobody serves any more."""
        ...

    def on_congestion(self, handler: Callable[[bool], None]) -> None:
        """Call `handler(True)` when an outbox is full, and `handler(False)` when all have room again."""
        ...

    @property
    def congested(self) -> bool:
        """Whether senders should stop taking in work: an outbox is past its limit."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the broker answers now."""
        ...

    async def flush(self) -> None:
        """Wait until everything sent so far has been handed to the broker and confirmed."""
        ...


ProtocolFactory = Callable[[], asyncio.BaseProtocol]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(slots=True)
class Ports:
    """Everything a service may use. `spawn` runs a task whose death ends the process.

    `mount(prefix, factory)` sends connections whose GET path starts with `prefix` to protocols made by `factory`;
    `serve(app, path)` gives the other HTTP requests under `path` (in any case; "/": all that nobody else has) to an
    ASGI application, one for each path. A request's `scope["state"]` holds `tls` (bool) and `subject` (the common name
    of the verified client certificate, or "").
    `checks` are the readiness checks by name; a service may add its own. `proxies` are those that may say who is
    behind them: requests that are served tell it already, what is mounted has to ask.
    """

    bus: Bus
    events: Events
    orders: Orders
    spool: Spool
    sessions: Sessions
    stations: Stations
    tags: Tags
    transactions: Transactions
    commands: Commands
    deliveries: Deliveries
    spawn: Callable[[Coroutine[Any, Any, None], str], None]
    mount: Callable[[str, ProtocolFactory], None]
    serve: Callable[[AsgiApp, str], None]
    checks: dict[str, Callable[[], Awaitable[bool]]] = field(default_factory=dict)
    proxies: Proxies = NO_PROXIES


Service = AbstractAsyncContextManager[None]
"""Entering starts it, leaving drains it. It takes no signals and configures no logging: `runtime` does."""
