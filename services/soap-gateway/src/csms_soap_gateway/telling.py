"""Tells everybody who wants to know what stations called here: the metrics, the log, and the events.

That stations connect and disconnect is told by the router: no gateway holds anything of theirs.
"""

from itertools import count
from time import time

import msgspec

from csms_ocpp.errors import Violation
from csms_platform.envelope import Capsule, Envelope, Kind
from csms_platform.logging import CallLog, get_logger, where
from csms_platform.ports import Event, Events, event_key
from csms_platform.times import iso_8601
from csms_soap_gateway import metrics
from csms_soap_gateway.arrivals import MAX_IDENTITY, Call
from csms_soap_gateway.faults import Refused


class Teller:
    """Tells about the calls that gateway `id` serves; of these, `log_calls` a second get a line of their own."""

    def __init__(self, events: Events, id: str, log_calls: int) -> None:
        self.log = get_logger("soap-gateway").bind(gateway=id)
        self._calls = CallLog(self.log, log_calls)
        self._events = events
        self._id = id
        self._count = count(1)

    def answered(self, call: Call, answer: Envelope, seconds: float) -> None:
        """A station's CALL got `answer`, a RESULT or an ERROR, after `seconds`."""
        metrics.answered(call.version, call.action, answer.kind is Kind.RESULT, seconds)
        if self._calls.take():
            told = {"id": call.unique_id, "outcome": answer.error_code or "result", "ms": round(seconds * 1000, 1)}
            self.log.info(call.action, **_about(call, answer.session), **told, **where(answer))
        if not self._events.wanted(key := event_key(call.version, call.action)):
            return
        event = self._event(call, answer.session, seconds)
        if answer.kind is Kind.RESULT:
            event = msgspec.structs.replace(event, response=answer.payload)
        else:
            code, description = answer.error_code, answer.error_description
            event = msgspec.structs.replace(
                event, error_code=code, error_description=description, error_details=answer.payload
            )
        self._events.emit(key, event)

    def unanswered(self, call: Call, capsule: Capsule | None, seconds: float) -> None:
        """Nobody answered a station's CALL in time; the station will repeat it."""
        metrics.unanswered.inc()
        if self._calls.take():
            told = {"action": call.action, "id": call.unique_id, "ms": round(seconds * 1000, 1)}
            self.log.warning("no answer in time", **_about(call, capsule), **told)
        if self._events.wanted(key := event_key(call.version, call.action)):
            self._events.emit(key, self._event(call, capsule, seconds))

    def refused(self, refused: Refused, peer: str, identity: str = "") -> None:
        """A request was not even asked about, or the router did not let its station in."""
        metrics.refused(refused.why)
        if self._calls.take():
            fault, station = refused.fault, identity[:MAX_IDENTITY]
            reason = fault.reason[:MAX_IDENTITY]
            self.log.warning("refused", station=station, status=refused.http_status, reason=reason, peer=peer)

    def violated(self, call: Call, violation: Violation) -> None:
        """The payload of a CALL that is served all the same, or of any answer, is not what its schema says."""
        metrics.violation(call.version, violation.rule)
        if self._calls.take():
            told = {"reason": violation.outline, "action": call.action, "id": call.unique_id}
            self.log.warning("violation", station=call.identity, version=call.version.value, **told)

    def _event(self, call: Call, capsule: Capsule | None, seconds: float) -> Event:
        known = capsule or Capsule()
        return Event(
            f"{self._id}-{next(self._count)}",
            iso_8601(time()),
            "call",
            call.identity,
            known.account,
            call.version.value,
            "soap",
            self._id,
            known.epoch,
            unique_id=call.unique_id,
            action=call.action,
            request=call.payload,
            milliseconds=round(seconds * 1000, 1),
        )


def _about(call: Call, capsule: Capsule | None) -> dict[str, str]:
    return {
        "station": call.identity,
        "account": capsule.account if capsule else "",
        "version": call.version.value,
    }
