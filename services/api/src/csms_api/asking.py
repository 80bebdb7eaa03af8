"""Asks charging stations: a COMMAND to the router, and its outcome back at this process's own address.

Several requests may wait for one command (the same id); each gets the outcome. What arrives when nobody waits any more
is counted.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter

from csms_api import metrics
from csms_api.errors import unavailable
from csms_api.tracing import TRACEPARENT
from csms_ocpp.session import Outcome
from csms_platform.envelope import Envelope, Kind, Raw
from csms_platform.logging import CallLog, get_logger
from csms_platform.ports import ROUTER, Address, Bus

_log = get_logger("api")
_GRACE = 1.0  # the outcome of a command that ends at its deadline is still under way then

Waiting = asyncio.Future[Envelope]


class Asking:
    """`address` is where `hear` is subscribed. `now` is in seconds since 1970."""

    def __init__(self, bus: Bus, address: Address, now: Callable[[], float], log_commands: int = 50) -> None:
        self._bus = bus
        self._address = address
        self._now = now
        self._waiting: dict[tuple[str, str], list[Waiting]] = {}
        self._logged = CallLog(_log, log_commands)
        self._leaving = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def ask(
        self, identity: str, action: str, payload: bytes, *, id: str, wait: float, offline_until: int = 0, who: str = ""
    ) -> Envelope:
        """The outcome of a command: RESULT or ERROR with `outcome`; Timeout when none came `wait` seconds (and one).

        `payload` is JSON text that its schema allows. `offline_until` (milliseconds since 1970) lets it wait for a
        station that is offline. Raises `ApiError` 503, and sends nothing, while the bus is away or we leave.
        """
        began = perf_counter()
        waiting = self._wait_for((identity, id))
        try:
            self._send(identity, action, payload, id, wait, offline_until, self._address.name)
            outcome = await self._outcome(waiting, wait) or _timed_out(identity, action, id)
        finally:
            self._forget((identity, id), waiting)
        metrics.COMMANDS.labels(outcome.outcome or outcome.kind.value).inc()
        self._tell(outcome, who, perf_counter() - began)
        return outcome

    def tell(
        self, identity: str, action: str, payload: bytes, *, id: str, wait: float, offline_until: int = 0, who: str = ""
    ) -> None:
        """Send a command without waiting for its outcome; it stays with the command's record. Raises as `ask`."""
        self._send(identity, action, payload, id, wait, offline_until, "")
        metrics.COMMANDS.labels("unawaited").inc()
        if self._logged.take():
            _log.info("command", station=identity, action=action, outcome="unawaited", who=who, id=id)

    async def hear(self, batch: list[Envelope]) -> None:
        """Takes outcomes from the bus; never waits."""
        for outcome in batch:
            waiting = self._waiting.get((outcome.identity, outcome.unique_id), ())
            if not waiting:
                metrics.UNAWAITED.inc()
            for one in waiting:
                if not one.done():
                    one.set_result(outcome)

    async def leave(self, seconds: float) -> None:
        """Take no more commands, and return when none is under way: after `seconds` those left end with Timeout."""
        self._leaving = True
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            _log.warning("left with commands under way", commands=len(self._waiting))
            await self.hear([_timed_out(identity, "", known) for identity, known in self._waiting])

    # --- one command --------------------------------------------------------------------------------------------------

    def _send(
        self, identity: str, action: str, payload: bytes, id: str, wait: float, offline_until: int, reply_to: str
    ) -> None:
        if self._leaving:
            raise unavailable("This process is leaving; ask again.")
        if not self._bus.connected or self._bus.congested:
            # What waits here for the broker could reach its station long after the client was told that it failed.
            raise unavailable("The bus is away or congested; try again soon.")
        command = Envelope(
            Kind.COMMAND,
            identity,
            unique_id=id,
            action=action,
            payload=Raw(payload),
            reply_to=reply_to,
            deadline=int((self._now() + wait) * 1000),
            offline_until=offline_until,
            traceparent=TRACEPARENT.get(),
        )
        self._bus.send(ROUTER, command)

    def _wait_for(self, key: tuple[str, str]) -> Waiting:
        waiting: Waiting = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(waiting)
        metrics.WAITING.inc()
        self._idle.clear()
        return waiting

    def _forget(self, key: tuple[str, str], waiting: Waiting) -> None:
        others = self._waiting[key]
        others.remove(waiting)
        metrics.WAITING.dec()
        if not others:
            del self._waiting[key]
        if not self._waiting:
            self._idle.set()

    async def _outcome(self, waiting: Waiting, wait: float) -> Envelope | None:
        done, _ = await asyncio.wait((waiting,), timeout=wait + _GRACE)
        return waiting.result() if done else None

    def _tell(self, outcome: Envelope, who: str, seconds: float) -> None:
        if self._logged.take():
            _log.info(
                "command",
                station=outcome.identity,
                action=outcome.action,
                outcome=outcome.outcome,
                who=who,
                id=outcome.unique_id,
                ms=round(seconds * 1000, 1),
            )


def _timed_out(identity: str, action: str, id: str) -> Envelope:
    return Envelope(
        Kind.ERROR,
        identity,
        unique_id=id,
        action=action,
        outcome=Outcome.TIMEOUT.value,
        error_description="No outcome came in time; whether the station acted is not known.",
    )
