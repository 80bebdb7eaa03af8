"""The doors between services and the outside: the bus, the stores, and what a service is.

Services see nothing else of the platform's machinery. Every port has one contract suite in `tests/contract`, which each
adapter passes, so a service tested on memory can be believed on RabbitMQ and Redis.

    Unavailable        an adapter cannot reach its broker or store now; try again later
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, NewType, Protocol

import msgspec

from csms_ocpp.version import StationId
from csms_platform.envelope import Envelope

GatewayId = NewType("GatewayId", str)


class Unavailable(Exception):  # noqa: N818 - a state of the world, as in Bus.connected
    """The broker or the store cannot be reached now. Nothing is known about what was asked; asking again is safe."""


# --- the bus ----------------------------------------------------------------------------------------------------------


class Address(msgspec.Struct, frozen=True, gc=False):
    """Where envelopes go: a shared address is a work queue, a private one belongs to one process and dies with it."""

    name: str
    shared: bool = False


ROUTER = Address("ocpp.router", shared=True)
_GATEWAY_PREFIX = "ocpp.gateway."


def gateway_address(gateway: GatewayId) -> Address:
    """Where answers and commands for the stations of this gateway process go."""
    return Address(_GATEWAY_PREFIX + gateway)


def address_of(name: str) -> Address:
    """The address with this name, as an envelope's `reply_to` holds it."""
    return ROUTER if name == ROUTER.name else Address(name)


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


# --- the stores -------------------------------------------------------------------------------------------------------


class Claim(msgspec.Struct, frozen=True):
    """A connection that wants to be its station's session."""

    identity: StationId
    gateway: GatewayId
    account: str = ""
    version: str = ""
    peer: str = ""


class SessionRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """The live session of a station. `since` is in milliseconds since 1970."""

    identity: StationId
    gateway: GatewayId
    epoch: int
    account: str = ""
    version: str = ""
    peer: str = ""
    since: int = 0


class Sessions(Protocol):
    """Who is connected where. Every write names its epoch, so that a late one changes nothing."""

    async def open(self, claim: Claim) -> tuple[SessionRecord, SessionRecord | None]:
        """Make `claim` the station's session under a new, higher epoch. Answers it, and the one it replaced."""
        ...

    async def release(self, identity: StationId, epoch: int) -> bool:
        """End the session if its epoch is still `epoch`; answers whether it was."""
        ...

    async def get(self, identity: StationId) -> SessionRecord | None:
        """The station's session while its gateway's lease lives; None: offline."""
        ...

    async def resume(self, claim: Claim, epoch: int) -> bool:
        """Restore the session of this epoch, as after its gateway's lease had ended by mistake.

        Answers False, and changes nothing, when the station has had a newer epoch since.
        """
        ...

    async def renew(self, gateway: GatewayId, seconds: float) -> bool:
        """The gateway lives: its lease now ends `seconds` from now. Answers whether an earlier lease still lived.

        A gateway that never renewed counts as dead in `get` and `sweep`.
        """
        ...

    async def retire(self, gateway: GatewayId) -> None:
        """The gateway leaves: its lease ends now, and the next `sweep` finds what it still holds."""
        ...

    async def sweep(self, limit: int = 1000) -> list[SessionRecord]:
        """End and answer up to `limit` sessions whose gateway's lease has ended, each to one caller only."""
        ...


class Station(msgspec.Struct, frozen=True, omit_defaults=True):
    """A registered charging station.

    `password` is a digest made by `csms_router.passwords`, "" when the station has none. `security_profile` is the
    lowest that it may use (0: none, 1: Basic, 2: Basic over TLS, 3: TLS client certificate). `quirks` are separated
    by spaces. `registration` is what BootNotification is answered with.
    """

    identity: StationId
    account: str = ""
    password: str = ""
    security_profile: int = 0
    quirks: str = ""
    registration: str = "Accepted"
    disabled: bool = False


class Note(msgspec.Struct, frozen=True, gc=False):
    """A fact to remember about a station: JSON under a field name, e.g. `status/1`, replacing what was there."""

    identity: str
    field: str
    value: bytes


class Stations(Protocol):
    """Registered stations, and the last that each station told about itself."""

    async def get(self, identity: StationId) -> Station | None:
        """The registered station; None: not registered."""
        ...

    async def put(self, station: Station) -> None:
        """Insert or replace the record; the notes stay."""
        ...

    async def delete(self, identity: StationId) -> bool:
        """Remove the record and the notes; answers whether there was a record."""
        ...

    async def note(self, notes: Sequence[Note]) -> None:
        """Remember all of `notes`, cheaply (one command to the store for the whole batch); the last one wins.

        Batches take effect in the order asked.
        """
        ...

    async def recall(self, identity: StationId) -> dict[str, bytes]:
        """Everything noted about a station, by field."""
        ...


class Tag(msgspec.Struct, frozen=True, omit_defaults=True):
    """An idTag / idToken that may charge. `expires` is ISO 8601 UTC, "" for never.

    `status` is the 1.6 word (Accepted, Blocked, Expired, Invalid). `parent` is the parentIdTag or group. `limit` is how
    many transactions it may have at once, 0: any number.
    """

    id: str
    status: str = "Accepted"
    expires: str = ""
    parent: str = ""
    limit: int = 1


class Tags(Protocol):
    """The tag list. Ids are compared without regard to case (OCPP 1.6 §7.28: IdToken is a CiString20Type)."""

    async def get(self, id: str) -> Tag | None:
        """The tag, or None."""
        ...

    async def put(self, tag: Tag) -> None:
        """Insert or replace."""
        ...

    async def delete(self, id: str) -> bool:
        """Remove; answers whether there was one."""
        ...


class Transaction(msgspec.Struct, frozen=True, omit_defaults=True):
    """A charging transaction. `id` is the integer of 1.x as text, or 2.x's own id. Times are as the station sent them.

    `key` recognises a repeated start. `authorized` transactions count against their tag's limit until they end, or
    until another one begins at the same connector: then the station has forgotten them, and they are `superseded`.
    `reply` is the answer the start was given.
    """

    identity: StationId
    id: str
    key: str = ""
    version: str = ""
    connector: int = 0
    evse: int = 0
    tag: str = ""
    meter_start: int = 0
    meter_stop: int | None = None
    started: str = ""
    stopped: str = ""
    reason: str = ""
    reservation: int | None = None
    authorized: bool = False
    last_seq: int = -1
    superseded: bool = False
    reply: bytes = b""


class Transactions(Protocol):
    """Transactions, and the stored answers to transaction messages."""

    async def new_id(self) -> int:
        """An integer id that no router has handed out or will, before or after a restart; positive, 31 bits."""
        ...

    async def begin(
        self, transaction: Transaction, *, limit: int = 0, over: Transaction | None = None
    ) -> tuple[Transaction, bool]:
        """Store a transaction unless this (identity, key) exists; answers the stored one, and whether it is new.

        An authorized new one counts as active for its tag. When `limit` of the tag's count already, `over` is stored
        in its place: the same transaction, not authorized. The limit holds exactly, also between two routers. What
        was under way at the same connector of the station is superseded. Without a key the id recognises a repeated
        start, and an ended transaction still recognises it.
        """
        ...

    async def get(self, identity: StationId, id: str) -> Transaction | None:
        """The transaction, or None."""
        ...

    async def update(self, transaction: Transaction) -> None:
        """Replace the transaction with the same (identity, id), or store it when it is unknown.

        One with `stopped` no longer counts for its tag.
        """
        ...

    async def active(self, tag: str) -> int:
        """How many authorized transactions of this tag are under way."""
        ...

    async def answered(self, key: str) -> bytes | None:
        """The answer stored under `key` by `remember`, or None."""
        ...

    async def remember(self, key: str, reply: bytes, seconds: float) -> None:
        """Keep `reply` under `key` for `seconds`."""
        ...


ProtocolFactory = Callable[[], asyncio.BaseProtocol]


# --- what a service is given, and is ----------------------------------------------------------------------------------


@dataclass(slots=True)
class Ports:
    """Everything a service may use. `spawn` runs a task whose death ends the process.

    `mount(prefix, factory)` sends connections whose GET path starts with `prefix` to protocols made by `factory`.
    `checks` are the readiness checks by name; a service may add its own.
    """

    bus: Bus
    sessions: Sessions
    stations: Stations
    tags: Tags
    transactions: Transactions
    spawn: Callable[[Coroutine[Any, Any, None], str], None]
    mount: Callable[[str, ProtocolFactory], None]
    checks: dict[str, Callable[[], Awaitable[bool]]] = field(default_factory=dict)


Service = AbstractAsyncContextManager[None]
"""Entering starts it, leaving drains it. It takes no signals and configures no logging: `runtime` does."""
