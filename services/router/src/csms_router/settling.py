"""The operator's answers that change what is known: recorded, and passed on to the station's gateway.

The webhook relay sends them here instead of to the gateway: RESULT or ERROR with `settle`, the CALL's payload beside
the answer's. No station goes without the operator's answer because we could not record it.
"""

from collections.abc import Callable

from msgspec.structs import replace

from csms_ocpp.errors import UNREADABLE
from csms_platform.envelope import EMPTY, Envelope, Kind
from csms_platform.logging import CallLog, get_logger
from csms_platform.ports import Ports, Unavailable
from csms_router import metrics
from csms_router.answers.settled import SETTLED, understood
from csms_router.desk import Answer, Booted, Desk
from csms_router.patience import patiently, until
from csms_router.replies import address, passed_on
from csms_router.routes import NEVER_REFUSED
from csms_router.settings import Settings

# How long before the deadline the store is given up, so that the answer still reaches the station in time.
_MARGIN = 1.0

_log = get_logger("router")


class Settling:
    """Settles answers. One instance serves every batch. `booted` is called after a boot was accepted."""

    def __init__(self, ports: Ports, settings: Settings, now: Callable[[], float], booted: Booted) -> None:
        self._ports = ports
        self._settings = settings
        self._now = now
        self._booted = booted
        self._troubles = CallLog(_log, settings.troubles_logged)

    async def settle(self, envelope: Envelope) -> None:
        """Record what `envelope` (RESULT or ERROR with `settle`) answers, and pass it on."""
        reply = self._softened(envelope)
        if reply.kind is Kind.ERROR:
            metrics.SETTLED.labels("refused").inc()
            return self._pass_on(reply, Answer(reply.payload))
        call, ports = replace(reply, kind=Kind.CALL, payload=reply.request, request=EMPTY), self._ports
        desk = Desk(self._now, self._settings, ports.stations, ports.tags, ports.transactions)
        try:
            answer = understood(call, reply.payload, desk)
        except UNREADABLE as problem:
            self._unrecorded(reply, "unreadable", str(problem))
            return self._pass_on(reply, Answer(reply.payload))
        await self._record(call, reply, desk)
        self._pass_on(reply, answer)
        if answer.booted:
            await self._booted(reply)

    def _softened(self, envelope: Envelope) -> Envelope:
        # An error to one of these can stop a station's queue of offline transactions for ever. What it tells has
        # happened, whatever the operator makes of it, and the station will not tell it again.
        if envelope.kind is not Kind.ERROR or envelope.action not in NEVER_REFUSED:
            return envelope
        if self._troubles.take():
            code, sentence = envelope.error_code, envelope.error_description
            _log.warning("operator's error withheld", code=code, reason=sentence, **_about(envelope))
        return replace(envelope, kind=Kind.RESULT, payload=EMPTY, error_code="", error_description="")

    async def _record(self, call: Envelope, reply: Envelope, desk: Desk) -> None:
        record = SETTLED.get(reply.action)
        if record is None:
            return metrics.UNEXPECTED.inc()
        latest = until(reply, desk.now, self._settings.patience) - _MARGIN
        try:
            await patiently(lambda: record(call, reply.payload, desk), until=latest, clock=self._now)
        except UNREADABLE as problem:
            self._unrecorded(reply, "unreadable", str(problem))
        except Unavailable:
            self._unrecorded(reply, "unrecorded", "the store is away")
        except Exception as problem:
            metrics.SETTLED.labels("unrecorded").inc()
            _log.error("cannot settle", exc_info=problem, **_about(reply))
        else:
            metrics.SETTLED.labels("recorded").inc()

    def _unrecorded(self, reply: Envelope, outcome: str, reason: str) -> None:
        metrics.SETTLED.labels(outcome).inc()
        if self._troubles.take():
            _log.warning("cannot settle", reason=reason, **_about(reply))

    def _pass_on(self, reply: Envelope, answer: Answer) -> None:
        if reply.reply_to:
            self._ports.bus.send(address(reply.reply_to), passed_on(reply, answer))
        else:
            metrics.UNEXPECTED.inc()


def _about(envelope: Envelope) -> dict[str, str]:
    return {"station": envelope.identity, "action": envelope.action, "version": envelope.version}
