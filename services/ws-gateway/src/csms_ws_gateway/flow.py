"""Back-pressure on one socket: while there is a reason not to read, TCP slows the station down, and nothing is lost."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any

from csms_ws_gateway.limits import TokenBucket


class Pause:
    """Why the socket is not being read now: bits of one integer (an IntFlag would cost a microsecond a message)."""

    RATE = 1
    BACKLOG = 2
    CONGESTION = 4
    WRITE = 8


class Flow:
    """Reads `transport` or does not. `reasons` are the `Pause` bits in force; `resumed` is called when none is left.

    `bucket` limits messages a second, None: not at all.
    """

    __slots__ = ("_bucket", "_resumed", "_transport", "reasons")

    def __init__(self, transport: Any, bucket: TokenBucket | None, resumed: Callable[[], None]) -> None:
        self._transport = transport
        self._bucket = bucket
        self._resumed: Callable[[], None] | None = resumed
        self.reasons = 0

    def spend(self, now: float) -> None:
        """A message came: it counts against the rate limit, and whoever is over it waits until the debt is paid."""
        if self._bucket is not None and (wait := self._bucket.take(now)) and not self.reasons & Pause.RATE:
            self.pause(Pause.RATE)
            asyncio.get_running_loop().call_later(wait, self._debt_due)

    def pause(self, why: int) -> None:
        """Stop reading until every reason is gone."""
        if not self.reasons and self._resumed:
            self._transport.pause_reading()
        self.reasons |= why

    def resume(self, why: int) -> None:
        """This reason is gone."""
        if not self.reasons & why:
            return
        self.reasons &= ~why
        if not self.reasons and self._resumed and not self._transport.is_closing():
            self._transport.resume_reading()
            self._resumed()

    def open_the_gates(self) -> None:
        """Read on, whatever the reasons were: otherwise the station's close frame would never be seen."""
        if self.reasons:
            self.reasons = 0
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def end(self) -> None:
        """The socket is gone."""
        self._resumed = self._bucket = None

    def _debt_due(self) -> None:
        # More messages may have come in the same piece since: the debt is what counts, not the timer.
        if self._bucket is not None and self.reasons & Pause.RATE:
            if wait := self._bucket.debt(monotonic()):
                asyncio.get_running_loop().call_later(wait, self._debt_due)
            else:
                self.resume(Pause.RATE)
