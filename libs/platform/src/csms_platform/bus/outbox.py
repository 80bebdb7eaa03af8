"""What both bus adapters share: an outbox per destination, batches with bounds, congestion, and taking batches in.

An adapter adds `_publish` (one encoded batch to one address) and the subscriptions.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from csms_platform import envelope as codec
from csms_platform.bus import BusSettings
from csms_platform.coalesce import Coalescer, Pace
from csms_platform.envelope import Envelope
from csms_platform.logging import get_logger
from csms_platform.metrics import NUMBERS, Stopwatches, counter, gauge
from csms_platform.ports import Address, BatchHandler, ReturnHandler

log = get_logger("bus")

MAX_BATCH = 256
UNCONFIRMED = 2  # batches to one destination that may wait for their confirms at once
MAX_BATCH_BYTES = 256 * 1024
_OVERHEAD = 256  # bytes of an envelope beside its payload, for the outbox' limit

_sizes = Stopwatches("bus_batch_envelopes", "Envelopes published in one batch", ("address",), NUMBERS)
_seconds = Stopwatches("bus_confirm_seconds", "From publishing a batch to the broker's confirm", ("address",))
_transit = Stopwatches(
    "bus_transit_seconds", "From a batch's publishing to its arrival, by the clocks of both processes", ("address",)
)
_expired = counter("bus_expired", "Envelopes dropped because their deadline had passed")
_returned = counter("bus_returned", "Envelopes whose private address nobody serves")
_unreadable = counter("bus_unreadable", "Messages from the bus that are not envelopes")
_failed = counter("bus_handler_failures", "Batches whose handler failed")
_waiting = gauge("bus_outbox_bytes", "Bytes that wait in outboxes, about")


class Returned(Exception):  # noqa: N818 - what the broker did, not an error of ours
    """Nobody serves the address."""


class Outboxes(ABC):
    """The sending half of a `Bus`; `weight` of all that waits is bounded by `settings.outbox_mib`."""

    lingers = True

    def __init__(self, settings: BusSettings) -> None:
        self._settings = settings
        self._outboxes: dict[str, Coalescer[Envelope]] = {}
        self._weight = 0
        self._limit = settings.outbox_mib * 1024 * 1024
        self._congested = False
        self._congestion_handlers: list[Callable[[bool], None]] = []
        self._return_handlers: list[ReturnHandler] = []

    @abstractmethod
    async def _publish(self, address: Address, body: bytes) -> None:
        """Hand one batch to the broker and wait for its confirm; waits for the broker as long as it takes.

        Raises `Returned` when nobody serves the address.
        """

    # --- ports.Bus --------------------------------------------------------------------------------------------------

    def send(self, address: Address, envelope: Envelope) -> None:
        """See `ports.Bus.send`."""
        outbox = self._outboxes.get(address.name)
        if outbox is None:
            outbox = self._outboxes[address.name] = self._outbox(address)
        self._weight += len(envelope.payload) + _OVERHEAD
        outbox.add(envelope)
        if self._weight > self._limit and not self._congested:
            self._set_congested(True)

    def on_return(self, handler: ReturnHandler) -> None:
        """See `ports.Bus.on_return`."""
        self._return_handlers.append(handler)

    def on_congestion(self, handler: Callable[[bool], None]) -> None:
        """See `ports.Bus.on_congestion`."""
        self._congestion_handlers.append(handler)

    @property
    def congested(self) -> bool:
        """See `ports.Bus.congested`."""
        return self._congested

    async def flush(self) -> None:
        """See `ports.Bus.flush`."""
        for outbox in list(self._outboxes.values()):
            await outbox.drained()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _outbox(self, address: Address) -> Coalescer[Envelope]:
        sizes, seconds = _sizes.child(label(address)), _seconds.child(label(address))
        pace = Pace(self._settings.linger_ms / 1000, time.monotonic())

        async def flush(batch: list[Envelope]) -> None:
            pace.flushed(len(batch), time.monotonic())
            weight = sum([len(envelope.payload) for envelope in batch]) + _OVERHEAD * len(batch)
            try:
                for part in _parts(fresh(batch), weight):
                    began = time.monotonic()
                    await self._publish(address, codec.encode(part))
                    seconds.observe(time.monotonic() - began)
                    sizes.observe(len(part))
            except Returned:
                self._give_back(address, batch)
            finally:
                self._relieve(weight)

        return Coalescer(flush, most=MAX_BATCH, at_once=UNCONFIRMED, linger=pace.linger if self.lingers else None)

    def _give_back(self, address: Address, batch: list[Envelope]) -> None:
        _returned.inc(len(batch))
        outbox = self._outboxes[address.name]
        if not outbox and outbox.under_way == 1:
            # A gateway's address never comes back under the same name: its outbox would stay for ever.
            del self._outboxes[address.name]
        for handler in self._return_handlers:
            handler(address, batch)

    def _relieve(self, weight: int) -> None:
        self._weight -= weight
        _waiting.set(self._weight)
        if self._congested and self._weight < self._limit // 2:
            self._set_congested(False)

    def _set_congested(self, congested: bool) -> None:
        self._congested = congested
        log.warning("outbox full" if congested else "outbox has room", bytes=self._weight)
        for handler in self._congestion_handlers:
            handler(congested)


def label(address: Address) -> str:
    """The address as a label: those of processes are many, and go."""
    return address.name if address.shared else "private"


def arrived(address: Address, sent: object) -> None:
    """A batch came that was published at `sent` (milliseconds since 1970); anything else was said by a stranger."""
    if type(sent) is int:
        _transit.child(label(address)).observe(max(0.0, time.time() - sent / 1000))


def fresh(batch: list[Envelope]) -> list[Envelope]:
    """The envelopes for which somebody still waits; the others are counted."""
    now = int(time.time() * 1000)
    alive = [envelope for envelope in batch if not 0 < envelope.deadline < now]
    if len(alive) < len(batch):
        _expired.inc(len(batch) - len(alive))
    return alive


def _parts(batch: list[Envelope], weight: int) -> Sequence[list[Envelope]]:
    if not batch:
        return ()
    if weight <= MAX_BATCH_BYTES or len(batch) == 1:
        return (batch,)
    parts: list[list[Envelope]] = [[]]
    size = 0
    for envelope in batch:
        size += len(envelope.payload) + _OVERHEAD
        if size > MAX_BATCH_BYTES and parts[-1]:
            parts.append([])
            size = len(envelope.payload) + _OVERHEAD
        parts[-1].append(envelope)
    return parts


async def take_in(body: bytes, handler: BatchHandler) -> None:
    """Decode a message from the bus and hand it over. The border where a handler's bug is logged and counted."""
    try:
        batch = fresh(codec.decode(body))
    except ValueError as error:
        _unreadable.inc()
        log.error("unreadable message on the bus", reason=str(error), bytes=len(body))
        return
    if not batch:
        return
    try:
        await handler(batch)
    except asyncio.CancelledError:
        raise
    except Exception:
        _failed.inc()
        log.exception("a batch's handler failed", envelopes=len(batch), first=batch[0].action)
